// The feed `events`: what is in the main calendar from a year back to two years ahead, then what its delta tells.
//
// External id: Graph's own of the event. A series is one record, each changed occurrence another; an occurrence
// that is as its series says is none. https://learn.microsoft.com/en-us/graph/delta-query-events
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { day, iso } from '../../time.ts';
import { icsOf } from '../calendar/ics.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { microsoftHttp as http, steadyIds } from '../microsoft.ts';
import type { SourceRecord } from '../record.ts';
import { addressOf } from '../request.ts';
import { deltaPage } from './delta.ts';
import { instantIn, type RawEvent, rawEvent, zoneOf } from './event.ts';
import { readsEvents } from './events.ts';
import { peopleIn } from './message.ts';
import { ruleOf } from './series.ts';

const pageSize = 100;
const back = 365 * day;
const ahead = 730 * day;
/** A window that ends sooner than this is drawn anew. */
const leastAhead = 365 * day;
const product = '-//Microsoft Corporation//Outlook//EN';

const cursorForm = z.object({
  version: z.literal(1),
  link: z.string(),
  /** End of the window, integer ms. */
  until: z.number(),
  /** Set while a full round is under way: ids so far. */
  ids: z.array(z.string()).optional(),
});
type Cursor = z.infer<typeof cursorForm>;

export const eventFeed: Feed = { kinds: ['event'], scopes: readsEvents, pages };

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const headers = {
    prefer: `${steadyIds}, outlook.timezone="UTC", odata.maxpagesize=${pageSize}`,
  };
  const now = context.clock.now();
  let at: Cursor | undefined = cursorForm.safeParse(cursor).data;
  if (at !== undefined && at.until < now + leastAhead) at = undefined;
  for (let again = false; ; ) {
    const begin = addressOf(context, http, {
      path: '/me/calendarView/delta',
      query: { startDateTime: iso(now - back), endDateTime: iso(now + ahead) },
    });
    const link = at === undefined ? { begin } : { go: at.link };
    const found = await deltaPage(context, link, { item: rawEvent, headers });
    if (found === undefined) {
      if (again) {
        throw new DrawbridgeError('conflict', 'The calendar changed while it was read.', { retry: 'later' });
      }
      again = true;
      at = undefined;
      continue;
    }
    const { records, gone } = sorted(found.items);
    const deleted = [...found.removed, ...gone];
    const left = new Set(deleted);
    const before: string[] | undefined = at === undefined ? [] : at.ids;
    const ids =
      before && [...before, ...records.map(({ externalId }) => externalId)].filter((id) => !left.has(id));
    const next: Cursor = { version: 1, link: found.link, until: at?.until ?? now + ahead };
    if (found.last) {
      yield { records, deleted, cursor: next, ...(ids === undefined ? {} : { complete: { ids } }) };
      return;
    }
    at = ids === undefined ? next : { ...next, ids };
    yield { records, deleted, cursor: at };
  }
}

function sorted(events: readonly RawEvent[]): { records: SourceRecord[]; gone: string[] } {
  const records: SourceRecord[] = [];
  const gone: string[] = [];
  for (const event of events) {
    if (event.type === 'occurrence') continue;
    const ics = event.isCancelled === true ? undefined : calendarText(event);
    if (ics === undefined) gone.push(event.id);
    else
      records.push({
        externalId: event.id,
        kind: 'event',
        mediaType: 'text/calendar',
        raw: Buffer.from(ics, 'utf8'),
        ...(event.webLink == null ? {} : { url: event.webLink }),
      });
  }
  return { records, gone };
}

const answers: Readonly<Record<string, string>> = {
  accepted: 'accepted',
  organizer: 'accepted',
  declined: 'declined',
  tentativelyAccepted: 'tentative',
};

function calendarText(event: RawEvent): string | undefined {
  const zone = zoneOf(event) ?? 'UTC';
  const when = (given: RawEvent['start']) => {
    const instant = instantIn(given);
    if (instant === undefined) return undefined;
    return event.isAllDay === true ? { date: instant.slice(0, 10) } : { dateTime: instant, timeZone: zone };
  };
  const organiser = event.organizer == null ? undefined : peopleIn([event.organizer])[0];
  const rule = event.recurrence == null ? undefined : ruleOf(event.recurrence, zone);
  const original =
    event.originalStart == null ? undefined : { dateTime: event.originalStart, timeZone: zone };
  return icsOf(
    {
      id: event.id,
      iCalUID: event.iCalUId,
      summary: event.subject,
      location: event.location?.displayName,
      description: event.bodyPreview,
      status: 'confirmed',
      transparency: event.showAs === 'free' ? 'transparent' : 'opaque',
      htmlLink: event.webLink,
      hangoutLink: event.onlineMeeting?.joinUrl,
      start: when(event.start),
      end: when(event.end),
      originalStartTime: event.type === 'exception' ? original : undefined,
      organizer: organiser && { email: organiser.email, displayName: organiser.name },
      attendees: (event.attendees ?? []).flatMap((one) =>
        peopleIn([one]).map(({ email, name }) => ({
          email,
          displayName: name,
          responseStatus: answers[one.status?.response ?? ''],
        })),
      ),
      recurrence: rule === undefined ? [] : [rule],
    },
    zone,
    product,
  );
}
