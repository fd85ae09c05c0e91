// An event as Graph gives it. Times are asked for in UTC; a series keeps the zone in which it was made.
// https://learn.microsoft.com/en-us/graph/api/resources/event
import { z } from 'zod';
import { isZone } from '../calendar/check.ts';
import { zoneOfWindows } from '../calendar/zones.ts';
import { steadyIds } from '../microsoft.ts';
import { peopleIn, person, recipient } from './message.ts';

/** On every question about events. */
export const inUtc = { prefer: `${steadyIds}, outlook.timezone="UTC"` };

export const untitled = '(no title)';

const time = z.object({ dateTime: z.string(), timeZone: z.string().nullish() });

const pattern = z.object({
  type: z.string(),
  interval: z.number().int().nullish(),
  daysOfWeek: z.array(z.string()).nullish(),
  firstDayOfWeek: z.string().nullish(),
  dayOfMonth: z.number().int().nullish(),
  month: z.number().int().nullish(),
  index: z.string().nullish(),
});
const range = z.object({
  type: z.string(),
  startDate: z.string().nullish(),
  endDate: z.string().nullish(),
  numberOfOccurrences: z.number().int().nullish(),
});
export const recurrence = z.object({ pattern, range });
export type Recurrence = z.infer<typeof recurrence>;

export const rawEvent = z.object({
  id: z.string(),
  '@odata.etag': z.string().nullish(),
  type: z.string().nullish(),
  seriesMasterId: z.string().nullish(),
  iCalUId: z.string().nullish(),
  subject: z.string().nullish(),
  bodyPreview: z.string().nullish(),
  start: time.nullish(),
  end: time.nullish(),
  originalStart: z.string().nullish(),
  originalStartTimeZone: z.string().nullish(),
  isAllDay: z.boolean().nullish(),
  isCancelled: z.boolean().nullish(),
  showAs: z.string().nullish(),
  location: z.object({ displayName: z.string().nullish() }).nullish(),
  organizer: recipient.nullish(),
  attendees: z
    .array(recipient.extend({ status: z.object({ response: z.string().nullish() }).nullish() }))
    .nullish(),
  recurrence: recurrence.nullish(),
  onlineMeeting: z.object({ joinUrl: z.string().nullish() }).nullish(),
  webLink: z.string().nullish(),
});
export type RawEvent = z.infer<typeof rawEvent>;

/** `2026-03-02T15:00:00.0000000` in UTC, as an instant in ISO 8601; undefined where it is no time. */
export function instantIn(given: RawEvent['start']): string | undefined {
  if (given == null) return undefined;
  const ms = Date.parse(`${given.dateTime.replace(/(?:\.\d+)?Z?$/, '')}Z`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** The zone in which its start was written, IANA; undefined where it is none that is known. */
export function zoneOf({ originalStartTimeZone: name }: RawEvent): string | undefined {
  if (name == null || name === '') return undefined;
  if (name.includes('/') && isZone(name)) return name;
  return zoneOfWindows(name);
}

export const shownEvent = z.object({
  id: z.string(),
  title: z.string(),
  /** An instant in UTC, or a date alone for a whole day. */
  start: z.string().optional(),
  end: z.string().optional(),
  timeZone: z.string().optional(),
  status: z.string().optional(),
  showAs: z.string().optional(),
  location: z.string().optional(),
  description: z.string().optional(),
  organiser: person.optional(),
  attendees: z.array(person.extend({ answer: z.string().optional() })),
  /** Of an occurrence: the series that it belongs to. */
  series: z.string().optional(),
  meeting: z.string().optional(),
  url: z.string().optional(),
});

export function eventShown(raw: RawEvent): z.infer<typeof shownEvent> {
  const when = (given: RawEvent['start']) => {
    const instant = instantIn(given);
    return raw.isAllDay === true ? instant?.slice(0, 10) : instant;
  };
  return {
    id: raw.id,
    title: raw.subject || untitled,
    start: when(raw.start),
    end: when(raw.end),
    timeZone: zoneOf(raw),
    status: raw.isCancelled === true ? 'cancelled' : 'confirmed',
    showAs: raw.showAs ?? undefined,
    location: raw.location?.displayName || undefined,
    description: raw.bodyPreview || undefined,
    organiser: raw.organizer == null ? undefined : peopleIn([raw.organizer])[0],
    attendees: (raw.attendees ?? []).flatMap((one) =>
      peopleIn([one]).map((known) => ({ ...known, answer: one.status?.response ?? undefined })),
    ),
    series: raw.seriesMasterId ?? undefined,
    meeting: raw.onlineMeeting?.joinUrl ?? undefined,
    url: raw.webLink ?? undefined,
  };
}
