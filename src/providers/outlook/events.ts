// What is asked of Outlook's calendar: events in a window, one event, and when the account is taken.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { day, iso } from '../../time.ts';
import { type Busy, merged } from '../calendar/busy.ts';
import { type FreeBusyAnswer, type FreeBusyQuery, freeBusyQuery } from '../capabilities.ts';
import { readRequest } from '../declared.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { send } from '../request.ts';
import { eventShown, instantIn, inUtc, rawEvent, shownEvent } from './event.ts';
import { graphId, ownAddress } from './message.ts';

export const readsEvents = ['Calendars.Read'];
/** Graph's own bound of one question is 62 days, known and not verified. */
const busyWindow = 30 * day;
const mostWindows = 13;

export const events = readRequest(http, {
  title: 'List events',
  description: 'Events of the main calendar in a window of time, each occurrence of a series by itself.',
  scopes: readsEvents,
  input: z.object({
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    limit: z.number().int().min(1).max(100).default(50),
    skip: z.number().int().min(0).max(10_000).default(0).describe('nextSkip of the answer before'),
  }),
  output: z.object({ events: z.array(shownEvent), nextSkip: z.number().int().optional() }),
  method: 'GET',
  path: '/me/calendarView',
  headers: () => inUtc,
  query: (input) => ({
    startDateTime: iso(Date.parse(input.from)),
    endDateTime: iso(Date.parse(input.to)),
    $top: input.limit,
    $skip: input.skip,
  }),
  answer: z.object({ value: z.array(rawEvent), '@odata.nextLink': z.string().optional() }),
  result: ({ value, '@odata.nextLink': more }, input) => ({
    // Graph lists a window by its starts (known, not promised); within an answer it is made sure.
    events: value.map(eventShown).sort((one, other) => (one.start ?? '').localeCompare(other.start ?? '')),
    ...(more === undefined ? {} : { nextSkip: input.skip + value.length }),
  }),
});

export const getEvent = readRequest(http, {
  title: 'Read an event',
  description: 'One event of the main calendar with its attendees and their answers.',
  scopes: readsEvents,
  input: z.object({ id: graphId }),
  output: shownEvent,
  method: 'GET',
  path: '/me/events/{id}',
  headers: () => inUtc,
  answer: rawEvent,
  result: (raw) => eventShown(raw),
});

const schedules = z.object({
  value: z.array(
    z.object({
      scheduleItems: z
        .array(
          z.object({
            status: z.string().nullish(),
            subject: z.string().nullish(),
            start: rawEvent.shape.start,
            end: rawEvent.shape.end,
          }),
        )
        .nullish(),
      error: z.object({ message: z.string().nullish() }).nullish(),
    }),
  ),
});

export const freeBusy = readOperation<FreeBusyQuery, FreeBusyAnswer>({
  effect: 'read',
  title: 'Free and busy times',
  description: 'When the account is taken, by its main calendar.',
  scopes: readsEvents,
  input: freeBusyQuery,
  async run(context, { from, to }) {
    if (!(to > from) || to - from > mostWindows * busyWindow) {
      throw new DrawbridgeError('invalid_request', 'to: must be after from, by a year at most.', {
        field: 'to',
      });
    }
    const busy: Busy[] = [];
    for (let start = from; start < to; start += busyWindow) {
      busy.push(...(await busyIn(context, start, Math.min(to, start + busyWindow))));
    }
    return { busy: merged(busy) };
  },
});

/** https://learn.microsoft.com/en-us/graph/api/calendar-getschedule */
async function busyIn(context: ProviderContext, from: number, to: number): Promise<Busy[]> {
  const at = (ms: number) => ({ dateTime: iso(ms).slice(0, 19), timeZone: 'UTC' });
  const { value } = await send(context, http, {
    method: 'POST',
    path: '/me/calendar/getSchedule',
    headers: inUtc,
    // It asks: a repeat is harmless.
    idempotent: true,
    body: { schedules: [ownAddress(context)], startTime: at(from), endTime: at(to) },
    output: schedules,
  });
  const [own] = value;
  if (own === undefined || own.error != null) {
    // A calendar that could not be asked is not a free one.
    throw new DrawbridgeError('provider_unavailable', 'Outlook could not say when the account is taken.');
  }
  return (own.scheduleItems ?? []).flatMap(({ status, subject, ...times }) => {
    const start = Math.max(from, Date.parse(instantIn(times.start) ?? ''));
    const end = Math.min(to, Date.parse(instantIn(times.end) ?? ''));
    if (status === 'free' || !(end > start)) return [];
    return [{ start, end, ...(subject ? { title: subject } : {}) }];
  });
}
