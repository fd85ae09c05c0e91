// Google Calendar's API over its stores. https://developers.google.com/workspace/calendar/api/v3/reference
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { forbidden, json, objectIn, pageOf, refusal } from './answers.ts';
import { type GoogleCalendarStore, type GoogleEvent, msOf } from './event-store.ts';

export interface CalendarOptions {
  /** The first is the main one. */
  calendars: readonly GoogleCalendarStore[];
  clock: Clock;
  /** What Google mails to the attendees. */
  invite(event: GoogleEvent, occasion: 'invited' | 'changed' | 'cancelled'): void;
}

const list = ['calendar', 'calendar.calendarlist', 'calendar.calendarlist.readonly', 'calendar.readonly'];
const write = ['calendar', 'calendar.events', 'calendar.events.owned'];
const read = [...write, 'calendar.events.readonly', 'calendar.readonly'];
const busy = ['calendar', 'calendar.freebusy', 'calendar.readonly', 'calendar.events.freebusy'];
const notFound = () => refusal(404, 'notFound', 'Not Found');
const changedSince = () => refusal(412, 'conditionNotMet', 'Precondition Failed');
const invalid = (message: string) => refusal(400, 'invalid', message);
const withToken = ['iCalUID', 'orderBy', 'q', 'timeMin', 'timeMax', 'updatedMin'];

/** Answers calls to www.googleapis.com/calendar; `granted`: the scopes of the bearer. */
export function createCalendar({ calendars, clock, invite }: CalendarOptions) {
  const named = (id: string) =>
    calendars.find((one, index) => one.id === id || (index === 0 && id === 'primary'));
  const etag = (text: string) => `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`;

  const shown = (event: GoogleEvent): Record<string, unknown> =>
    event.status === 'cancelled'
      ? {
          kind: 'calendar#event',
          etag: etag(event.id),
          id: event.id,
          status: 'cancelled',
          ...(event.recurringEventId === undefined
            ? {}
            : { recurringEventId: event.recurringEventId, originalStartTime: event.originalStartTime }),
        }
      : {
          kind: 'calendar#event',
          etag: etag(JSON.stringify(event)),
          htmlLink: `https://www.google.com/calendar/event?eid=${event.id}`,
          ...event,
        };

  function listCalendars({ query }: Call): Answer {
    const size = { name: 'maxResults', usual: 100, most: 250 };
    const page = pageOf(calendars, query, { key: ({ id }) => id, size });
    if (page === undefined) return invalid('Invalid page token');
    return json({
      kind: 'calendar#calendarList',
      etag: etag('list'),
      items: page.items.map((one) => ({
        kind: 'calendar#calendarListEntry',
        etag: etag(one.id),
        id: one.id,
        summary: one.name,
        timeZone: one.timeZone,
        accessRole: one.access,
        selected: true,
        ...(one === calendars[0] ? { primary: true } : {}),
      })),
      ...(page.next === undefined ? { nextSyncToken: 'calendars' } : { nextPageToken: page.next }),
    });
  }

  /** The events that a list is about, in a lasting order; undefined for a token that is too old. */
  function asked(store: GoogleCalendarStore, query: URLSearchParams): GoogleEvent[] | undefined {
    const token = query.get('syncToken');
    if (token !== null) {
      const version = Number(/^sync-(\d+)$/.exec(token)?.[1] ?? Number.NaN);
      return store.changedSince(version)?.flatMap((id) => store.get(id) ?? []);
    }
    const q = query.get('q')?.toLowerCase();
    const fits = (event: GoogleEvent) =>
      q === undefined ||
      `${event.summary ?? ''} ${event.location ?? ''} ${event.description ?? ''}`.toLowerCase().includes(q);
    const from = Date.parse(query.get('timeMin') ?? '1970-01-01T00:00:00Z');
    const to = Date.parse(query.get('timeMax') ?? '2038-01-01T00:00:00Z');
    if (query.get('singleEvents') === 'true') {
      return store.occurrences(from, to).filter((event) => event.status !== 'cancelled' && fits(event));
    }
    // Without showDeleted only cancelled occurrences of living series are told.
    return store.events().filter((event) => {
      if (event.status === 'cancelled' && event.recurringEventId === undefined) return false;
      return fits(event) && (query.get('timeMin') === null || msOf(event.end, store.timeZone) > from);
    });
  }

  function listEvents({ query }: Call, store: GoogleCalendarStore): Answer {
    if (query.has('syncToken') && withToken.some((name) => query.has(name))) {
      return invalid('Sync token cannot be combined with other query restrictions.');
    }
    if (query.get('orderBy') === 'startTime' && query.get('singleEvents') !== 'true') {
      return invalid('The requested ordering is not available for the particular query.');
    }
    const found = asked(store, query);
    if (found === undefined) {
      return refusal(410, 'fullSyncRequired', 'Sync token is no longer valid, a full sync is required.');
    }
    // A page knows the version that its list began with: what changes meanwhile comes with the next sync.
    const [begun, inner] = (query.get('pageToken') ?? '').split('.');
    const version = begun === undefined || begun === '' ? store.version : Number(begun);
    const plain = new URLSearchParams(query);
    if (inner === undefined) plain.delete('pageToken');
    else plain.set('pageToken', inner);
    const size = { name: 'maxResults', usual: 250, most: 2500 };
    const page = pageOf(found, plain, { key: ({ id }) => id, size });
    if (page === undefined) return invalid('Invalid page token');
    const next =
      page.next === undefined
        ? { nextSyncToken: `sync-${version}` }
        : { nextPageToken: `${version}.${page.next}` };
    if (query.has('fields')) {
      const items = page.items.map(({ id, status }) => ({ id, status }));
      return json({ items, ...('nextPageToken' in next ? next : {}) });
    }
    return json({
      kind: 'calendar#events',
      etag: etag(String(store.version)),
      summary: store.name,
      timeZone: store.timeZone,
      accessRole: store.access,
      updated: new Date(clock.now()).toISOString(),
      defaultReminders: [],
      items: page.items.map(shown),
      ...next,
    });
  }

  function tell(call: Call, event: GoogleEvent, occasion: Parameters<typeof invite>[1]): void {
    if (call.query.get('sendUpdates') === 'all' && (event.attendees ?? []).length > 0)
      invite(event, occasion);
  }

  function insert(call: Call, store: GoogleCalendarStore): Answer {
    const given = objectIn(call.body) as Partial<GoogleEvent> | undefined;
    if (given?.start === undefined || given.end === undefined) return invalid('Missing end time.');
    const id = given.id ?? `made${store.version}`;
    if (!/^[a-v0-9]{5,1024}$/.test(id)) return invalid('Invalid resource id value.');
    if (store.get(id) !== undefined) {
      return refusal(409, 'duplicate', 'The requested identifier already exists.');
    }
    const stamp = new Date(clock.now()).toISOString();
    const owner = { email: store.id, self: true };
    const event = store.put({
      status: 'confirmed',
      iCalUID: `${id}@google.com`,
      organizer: owner,
      eventType: 'default',
      created: stamp,
      updated: stamp,
      sequence: 0,
      ...given,
      ...(given.attendees === undefined
        ? {}
        : { attendees: given.attendees.map((one) => ({ ...one, responseStatus: 'needsAction' })) }),
      id,
      start: given.start,
      end: given.end,
    });
    tell(call, event, 'invited');
    return json(shown(event));
  }

  /** The event, or of a series the occurrence that its id names. */
  function eventNamed(store: GoogleCalendarStore, id: string): GoogleEvent | undefined {
    const own = store.get(id);
    if (own !== undefined) return own;
    const at = Date.parse(id.replace(/^.*_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (Number.isNaN(at)) return undefined;
    return store.occurrences(at, at + 1).find((one) => one.id === id);
  }

  function asExpected(call: Call, event: GoogleEvent): boolean {
    const wanted = call.headers['if-match'];
    return wanted === undefined || wanted === '*' || wanted === shown(event)['etag'];
  }

  function patch(call: Call, store: GoogleCalendarStore, id: string): Answer {
    const event = eventNamed(store, id);
    if (event === undefined || event.status === 'cancelled') return notFound();
    if (!asExpected(call, event)) return changedSince();
    const updated = new Date(clock.now()).toISOString();
    const changed = { ...event, ...objectIn(call.body), id: event.id, updated, sequence: event.sequence + 1 };
    tell(call, store.put(changed), 'changed');
    return json(shown(changed));
  }

  function cancel(call: Call, store: GoogleCalendarStore, id: string): Answer {
    const event = eventNamed(store, id);
    if (event === undefined) return notFound();
    if (event.status === 'cancelled') return refusal(410, 'deleted', 'Resource has been deleted');
    if (!asExpected(call, event)) return changedSince();
    if (store.get(id) === undefined) store.put(event);
    store.cancel(id);
    tell(call, event, 'cancelled');
    return { status: 204 };
  }

  function freeBusy({ body }: Call): Answer {
    const given = objectIn(body) as
      | { timeMin?: string; timeMax?: string; items?: { id: string }[] }
      | undefined;
    const [from, to] = [Date.parse(given?.timeMin ?? ''), Date.parse(given?.timeMax ?? '')];
    if (!(to > from)) return invalid('Invalid time range');
    if (to - from > 92 * 86_400_000)
      return refusal(400, 'timeRangeTooLong', 'The requested time range is too long.');
    const entries = (given?.items ?? []).map(({ id }) => {
      const store = named(id);
      if (store === undefined) return [id, { errors: [{ domain: 'global', reason: 'notFound' }], busy: [] }];
      const periods = store
        .occurrences(from, to)
        .filter(({ status, transparency }) => status !== 'cancelled' && transparency !== 'transparent')
        .map(({ start, end }) => ({
          start: new Date(msOf(start, store.timeZone)).toISOString(),
          end: new Date(msOf(end, store.timeZone)).toISOString(),
        }));
      return [id, { busy: periods }];
    });
    return json({
      kind: 'calendar#freeBusy',
      timeMin: new Date(from).toISOString(),
      timeMax: new Date(to).toISOString(),
      calendars: Object.fromEntries(entries),
    });
  }

  return (call: Call, granted: readonly string[] | undefined): Answer => {
    const path = call.path.replace(/^\/calendar\/v3\//, '');
    const { method } = call;
    if (method === 'GET' && path === 'users/me/calendarList')
      return forbidden(granted, list) ?? listCalendars(call);
    if (method === 'POST' && path === 'freeBusy') return forbidden(granted, busy) ?? freeBusy(call);
    const [, calendarId, eventId] = /^calendars\/([^/]+)\/events(?:\/([^/]+))?$/.exec(path) ?? [];
    if (calendarId === undefined) return notFound();
    const refused = forbidden(granted, method === 'GET' ? read : write);
    if (refused !== undefined) return refused;
    const store = named(decodeURIComponent(calendarId));
    if (store === undefined) return notFound();
    if (method !== 'GET' && store.access !== 'owner' && store.access !== 'writer') {
      return refusal(403, 'requiredAccessLevel', 'You need to have writer access to this calendar.');
    }
    const id = decodeURIComponent(eventId ?? '');
    if (eventId === undefined) {
      if (method === 'GET') return listEvents(call, store);
      return method === 'POST' ? insert(call, store) : notFound();
    }
    if (method === 'PATCH') return patch(call, store, id);
    if (method === 'DELETE') return cancel(call, store, id);
    const event = method === 'GET' ? eventNamed(store, id) : undefined;
    return event === undefined ? notFound() : json(shown(event));
  };
}
