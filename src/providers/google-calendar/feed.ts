// The feed `events`: every event of every calendar once, then what each calendar's sync token tells.
//
// External id: calendar/event, the calendar's id percent-encoded so that it is a clean prefix. A series is one
// record and each changed occurrence another, with an id that begins with the series' and `_`.
// https://developers.google.com/workspace/calendar/api/guides/sync
import type { calendar_v3 } from '@googleapis/calendar';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { icsOf } from '../calendar/ics.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { ask, scope } from '../google.ts';
import type { SourceRecord } from '../record.ts';
import { ifThere } from '../request.ts';
import { askedAhead } from './batch.ts';
import { calendarOf, calendarsOf, listPage, needed, type OwnCalendar } from './client.ts';

const pageSize = 250;
const idsPage = 2500;
/** Where one works from, and birthdays of contacts: no appointments. */
const leftOut = new Set(['workingLocation', 'birthday']);

const state = z.object({
  /** Absent while a full run is under way. */
  syncToken: z.string().optional(),
  pageToken: z.string().optional(),
});
type State = z.infer<typeof state>;
const cursorForm = z.object({ version: z.literal(1), calendars: z.record(z.string(), state) });

export const eventFeed: Feed = {
  kinds: ['event'],
  scopes: [scope('calendar.events.readonly')],
  pages,
  record: { owns: (id) => /^[^/]+\/[^/]+$/.test(id), read: oneEvent },
};

/** Undefined: cancelled, or in a calendar that is there no more. */
async function oneEvent(context: ProviderContext, externalId: string): Promise<SourceRecord | undefined> {
  const [prefix = '', eventId = ''] = externalId.split('/');
  const calendar = (await calendarsOf(context)).find(({ id }) => encodeURIComponent(id) === prefix);
  if (calendar === undefined) return undefined;
  const client = await calendarOf(context);
  const event = await ifThere(ask(() => client.events.get({ calendarId: calendar.id, eventId })));
  return event === undefined ? undefined : sorted(calendar, { items: [event] }).records[0];
}

interface Session {
  context: ProviderContext;
  client: calendar_v3.Calendar;
  states: Map<string, State>;
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor).data?.calendars ?? {};
  const ahead = await askedAhead(context, [
    { path: ['users', 'me', 'calendarList'], query: { maxResults: String(listPage) } },
    ...Object.entries(known).flatMap(([id, { syncToken, pageToken }]) =>
      syncToken === undefined || pageToken !== undefined
        ? []
        : [{ path: ['calendars', id, 'events'], query: { maxResults: String(pageSize), syncToken } }],
    ),
  ]);
  const client = await calendarOf(ahead);
  const session = { context: ahead, client, states: new Map(Object.entries(known)) };
  const calendars = (await calendarsOf(ahead)).filter(({ access }) => access !== 'freeBusyReader');
  for (const calendar of calendars) yield* oneCalendar(session, calendar);
  for (const id of [...session.states.keys()]) {
    if (calendars.some((calendar) => calendar.id === id)) continue;
    session.states.delete(id);
    yield page(session, { complete: { ids: [], prefix: prefixOf(id) } });
  }
}

async function* oneCalendar(session: Session, calendar: OwnCalendar): AsyncGenerator<FeedPage> {
  const { client, states } = session;
  for (let again = false; ; ) {
    const before = states.get(calendar.id) ?? {};
    const answer = await listed(client, calendar.id, before);
    if (answer === 'gone') {
      states.delete(calendar.id);
      yield page(session, { complete: { ids: [], prefix: prefixOf(calendar.id) } });
      return;
    }
    if (answer === 'begin again') {
      if (again) {
        const message = `The calendar ${calendar.name} changed while it was read.`;
        throw new DrawbridgeError('conflict', message, { retry: 'later' });
      }
      again = true;
      states.set(calendar.id, {});
      continue;
    }
    const { records, deleted, series } = sorted(calendar, answer);
    const full = before.syncToken === undefined;
    // First, while the cursor still stands before them: what was changed of a series goes with it.
    for (const id of series) {
      yield page(session, { complete: { ids: [], prefix: `${prefixOf(calendar.id)}${id}_` } });
    }
    if (typeof answer.nextPageToken === 'string') {
      const token = full ? {} : { syncToken: before.syncToken };
      states.set(calendar.id, { ...token, pageToken: answer.nextPageToken });
      yield page(session, { records, deleted });
    } else {
      const syncToken = needed(answer.nextSyncToken, 'sync token');
      const ids = full ? await allIds(client, calendar) : undefined;
      states.set(calendar.id, { syncToken });
      const complete = ids === undefined ? {} : { complete: { ids, prefix: prefixOf(calendar.id) } };
      yield page(session, { records, deleted, ...complete });
    }
    if (typeof answer.nextPageToken !== 'string') return;
  }
}

function page({ states }: Session, given: Partial<Omit<FeedPage, 'cursor'>>): FeedPage {
  const cursor = { version: 1, calendars: Object.fromEntries(states) };
  return { records: [], deleted: [], ...given, cursor };
}

type Listed = calendar_v3.Schema$Events | 'begin again' | 'gone';

async function listed(
  client: calendar_v3.Calendar,
  calendarId: string,
  { syncToken, pageToken }: State,
): Promise<Listed> {
  const at = {
    ...(syncToken === undefined ? {} : { syncToken }),
    ...(pageToken === undefined ? {} : { pageToken }),
  };
  try {
    return await ask(() => client.events.list({ calendarId, maxResults: pageSize, ...at }));
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    const begun = syncToken !== undefined || pageToken !== undefined;
    // 410 for a token that is too old, 400 for one that is none any more; without one the calendar itself is meant.
    if (begun && (error.code === 'not_found' || error.code === 'invalid_request')) return 'begin again';
    if (error.code === 'not_found') return 'gone';
    throw error;
  }
}

/** The ids of all that is in a calendar now: one call brings what a page of records would bring a tenth of. */
async function allIds(client: calendar_v3.Calendar, calendar: OwnCalendar): Promise<string[]> {
  const ids: string[] = [];
  for (let pageToken: string | undefined; ; ) {
    const answer = await ask(() =>
      client.events.list({
        calendarId: calendar.id,
        maxResults: idsPage,
        fields: 'items(id,status),nextPageToken',
        ...(pageToken === undefined ? {} : { pageToken }),
      }),
    );
    for (const { id, status } of answer.items ?? []) {
      if (typeof id === 'string' && status !== 'cancelled') ids.push(idOf(calendar, id));
    }
    if (typeof answer.nextPageToken !== 'string') return ids;
    pageToken = answer.nextPageToken;
  }
}

/** `series`: ids of events that are gone and may have been series. */
function sorted(
  calendar: OwnCalendar,
  { items = [], timeZone }: calendar_v3.Schema$Events,
): { records: SourceRecord[]; deleted: string[]; series: string[] } {
  const records: SourceRecord[] = [];
  const deleted: string[] = [];
  const series: string[] = [];
  for (const event of items) {
    if (typeof event.id !== 'string') continue;
    const ics =
      event.status === 'cancelled' || leftOut.has(event.eventType ?? '')
        ? undefined
        : icsOf(event, timeZone ?? calendar.timeZone);
    if (ics === undefined) {
      deleted.push(idOf(calendar, event.id));
      if (event.status === 'cancelled' && event.recurringEventId == null) series.push(event.id);
      continue;
    }
    records.push({
      externalId: idOf(calendar, event.id),
      kind: 'event',
      mediaType: 'text/calendar',
      raw: Buffer.from(ics, 'utf8'),
    });
  }
  return { records, deleted, series };
}

function prefixOf(calendarId: string): string {
  return `${encodeURIComponent(calendarId)}/`;
}

function idOf({ id }: OwnCalendar, eventId: string): string {
  return `${prefixOf(id)}${eventId}`;
}
