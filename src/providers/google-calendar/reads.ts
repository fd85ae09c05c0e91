// What is asked of Google Calendar: which calendars there are, events in a window or by words, one event, and
// when the account is taken.
import type { calendar_v3 } from '@googleapis/calendar';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { day, iso } from '../../time.ts';
import { type Busy, merged } from '../calendar/busy.ts';
import { type FreeBusyAnswer, type FreeBusyQuery, freeBusyQuery } from '../capabilities.ts';
import { readOperation } from '../define.ts';
import { ask, scope } from '../google.ts';
import { calendarOf, calendarsOf, needed } from './client.ts';

const readsEvents = [scope('calendar.events.readonly')];
/** Google refuses longer windows (timeRangeTooLong); its bound is not documented. */
const busyWindow = 30 * day;
const mostWindows = 13;
/** In one question: Google's own bound. */
const mostCalendars = 50;

/** Bounds are those of Google's ids; `@`, `.` and `#` stand in the ids of calendars. */
export const calendarId = z
  .string()
  .regex(/^[A-Za-z0-9@._#%+-]{1,250}$/)
  .refine((id) => !/^\.+$/.test(id))
  .describe('Id of a calendar, as `calendars` gives it')
  .default('primary');
export const eventId = z
  .string()
  .regex(/^[A-Za-z0-9_@-]{1,1024}$/)
  .describe('Id of the event');

export const untitled = '(no title)';

const person = z.object({
  email: z.string().optional(),
  name: z.string().optional(),
  answer: z.string().optional().describe('needsAction, accepted, tentative, declined'),
});
const shown = z.object({
  id: z.string(),
  title: z.string(),
  /** With its offset, or a date alone for a whole day. */
  start: z.string().optional(),
  end: z.string().optional(),
  timeZone: z.string().optional(),
  status: z.string().optional(),
  location: z.string().optional(),
  description: z.string().optional(),
  organiser: person.optional(),
  attendees: z.array(person),
  recurrence: z.array(z.string()).optional(),
  /** Of an occurrence: the series that it belongs to. */
  series: z.string().optional(),
  meeting: z.string().optional(),
  url: z.string().optional(),
});
type Shown = z.infer<typeof shown>;

export const calendars = readOperation({
  effect: 'read',
  title: 'List calendars',
  description: 'The calendars of the account with their ids, time zones and what it may do in them.',
  input: z.object({}),
  output: z.object({
    calendars: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        timeZone: z.string().optional(),
        primary: z.boolean(),
        access: z.string(),
      }),
    ),
  }),
  run: async (context) => ({ calendars: await calendarsOf(context) }),
});

export const events = readOperation({
  effect: 'read',
  title: 'List events',
  description: 'Events of a calendar in a window of time or by words, each occurrence of a series by itself.',
  scopes: readsEvents,
  input: z.object({
    calendarId,
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    query: z.string().trim().min(1).max(500).optional(),
    limit: z.number().int().min(1).max(250).default(50),
    pageToken: z.string().max(2000).optional().describe('nextPage of the answer before'),
  }),
  output: z.object({ events: z.array(shown), nextPage: z.string().optional() }),
  async run(context, input) {
    const client = await calendarOf(context);
    const answer = await ask(() =>
      client.events.list({
        calendarId: input.calendarId,
        singleEvents: true,
        orderBy: 'startTime',
        maxResults: input.limit,
        ...(input.from === undefined ? {} : { timeMin: input.from }),
        ...(input.to === undefined ? {} : { timeMax: input.to }),
        ...(input.query === undefined ? {} : { q: input.query }),
        ...(input.pageToken === undefined ? {} : { pageToken: input.pageToken }),
      }),
    );
    return {
      events: (answer.items ?? []).filter(({ status }) => status !== 'cancelled').map(eventShown),
      ...(typeof answer.nextPageToken === 'string' ? { nextPage: answer.nextPageToken } : {}),
    };
  },
});

export const get = readOperation({
  effect: 'read',
  title: 'Read an event',
  scopes: readsEvents,
  input: z.object({ calendarId, eventId }),
  output: shown,
  async run(context, input) {
    const client = await calendarOf(context);
    return eventShown(await ask(() => client.events.get(input)));
  },
});

export const freeBusy = readOperation<FreeBusyQuery, FreeBusyAnswer>({
  effect: 'read',
  title: 'Free and busy times',
  description: 'When the account is taken, over all calendars that it owns.',
  scopes: [scope('calendar.freebusy')],
  input: freeBusyQuery,
  async run(context, { from, to }) {
    if (!(to > from) || to - from > mostWindows * busyWindow) {
      throw new DrawbridgeError('invalid_request', 'to: must be after from, by a year at most.', {
        field: 'to',
      });
    }
    const client = await calendarOf(context);
    const own = (await calendarsOf(context)).filter(({ access }) => access === 'owner');
    const items = own.slice(0, mostCalendars).map(({ id }) => ({ id }));
    const busy: Busy[] = [];
    for (let start = from; start < to; start += busyWindow) {
      const end = Math.min(to, start + busyWindow);
      const requestBody = { timeMin: iso(start), timeMax: iso(end), items };
      const answer = await ask(() => client.freebusy.query({ requestBody }));
      for (const calendar of Object.values(answer.calendars ?? {}))
        busy.push(...busyIn(calendar, start, end));
    }
    return { busy: merged(busy) };
  },
});

/** @throws DrawbridgeError: a calendar that could not be asked is not a free one. */
function busyIn({ busy, errors }: calendar_v3.Schema$FreeBusyCalendar, from: number, to: number): Busy[] {
  const failed = (errors ?? []).find(({ reason }) => reason !== 'notFound');
  if (failed !== undefined) {
    throw new DrawbridgeError(
      'provider_unavailable',
      'Google could not say of every calendar when it is busy.',
    );
  }
  return (busy ?? []).flatMap((period) => {
    const start = Math.max(from, Date.parse(period.start ?? ''));
    const end = Math.min(to, Date.parse(period.end ?? ''));
    return end > start ? [{ start, end }] : [];
  });
}

function eventShown(event: calendar_v3.Schema$Event): Shown {
  const told = (value: string | null | undefined) => value ?? undefined;
  const { organizer } = event;
  return {
    id: needed(event.id, 'id'),
    title: event.summary ?? untitled,
    start: told(event.start?.dateTime ?? event.start?.date),
    end: told(event.end?.dateTime ?? event.end?.date),
    timeZone: told(event.start?.timeZone),
    status: told(event.status),
    location: told(event.location),
    description: told(event.description),
    ...(organizer == null
      ? {}
      : { organiser: { email: told(organizer.email), name: told(organizer.displayName) } }),
    attendees: (event.attendees ?? []).map((one) => ({
      email: told(one.email),
      name: told(one.displayName),
      answer: told(one.responseStatus),
    })),
    recurrence: event.recurrence ?? undefined,
    series: told(event.recurringEventId),
    meeting: told(event.hangoutLink),
    url: told(event.htmlLink),
  };
}
