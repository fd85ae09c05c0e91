// What is sent to Google of an event: a new one whole, of an old one what changes.
import type { calendar_v3 } from '@googleapis/calendar';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { instantOf, wallTime } from '../../time.ts';
import { checkEvent } from '../calendar/check.ts';
import type { CalendarCreate } from '../capabilities.ts';

type Event = calendar_v3.Schema$Event;

/** Google's own bound on reminders of one event. */
const mostReminders = 5;

export const change = z
  .object({
    title: z.string().min(1).optional(),
    start: z.string().optional().describe('Wall time, 2026-03-02T15:00:00'),
    end: z.string().optional(),
    timeZone: z.string().optional().describe('IANA time zone; needed with start and end'),
    location: z.string().optional(),
    description: z.string().optional(),
  })
  .refine((named) => Object.keys(named).length > 0, 'name at least one change');
export type Change = z.infer<typeof change>;

/** @throws DrawbridgeError `invalid_request` */
export function checkBooking(event: CalendarCreate): void {
  checkEvent(event);
  if (event.reminders.length <= mostReminders) return;
  throw new DrawbridgeError('invalid_request', `reminders: Google keeps ${mostReminders} at most.`, {
    field: 'reminders',
  });
}

/** @throws DrawbridgeError `invalid_request` */
export function checkChange(given: Change): void {
  checkBooking({ ...blank, ...timesOf(given), ...told(given) });
}

/** An event that passes every check: what a change leaves alone is not judged. */
const blank: CalendarCreate = {
  title: 'x',
  start: '2026-01-01T00:00:00',
  end: '2026-01-01T01:00:00',
  timeZone: 'UTC',
  attendees: [],
  reminders: [],
};

/** @throws DrawbridgeError `invalid_request`: a new time is a start, an end and a zone. */
function timesOf({ start, end, timeZone }: Change): Partial<CalendarCreate> {
  if (start === undefined && end === undefined && timeZone === undefined) return {};
  for (const [field, value] of Object.entries({ start, end, timeZone })) {
    if (value !== undefined) continue;
    const message = `change.${field}: a new time needs start, end and timeZone together.`;
    throw new DrawbridgeError('invalid_request', message, { field: `change.${field}` });
  }
  return { start: start ?? '', end: end ?? '', timeZone: timeZone ?? '' };
}

function told({ title: name, location, description }: Change): Partial<CalendarCreate> {
  return {
    ...(name === undefined ? {} : { title: name }),
    ...(location === undefined ? {} : { location }),
    ...(description === undefined ? {} : { description }),
  };
}

export function patchOf(change: Change): Event {
  const { start, end, timeZone } = timesOf(change);
  return {
    ...(change.title === undefined ? {} : { summary: change.title }),
    ...(change.location === undefined ? {} : { location: change.location }),
    ...(change.description === undefined ? {} : { description: change.description }),
    ...(start === undefined || end === undefined || timeZone === undefined
      ? {}
      : { start: timeOf(start, timeZone), end: timeOf(end, timeZone) }),
  };
}

/** The change that brings the event back to how it stands; undefined where none does (a whole day, no title). */
export function changeBack(event: Event, made: Change): Change | undefined {
  const { title, location, description } = made;
  const times = made.start === undefined ? {} : wallTimesOf(event);
  if (times === undefined || (title !== undefined && (event.summary ?? '') === '')) return undefined;
  return {
    ...(title === undefined ? {} : { title: event.summary ?? '' }),
    ...(location === undefined ? {} : { location: event.location ?? '' }),
    ...(description === undefined ? {} : { description: event.description ?? '' }),
    ...times,
  };
}

function wallTimesOf({ start, end }: Event): Pick<Change, 'start' | 'end' | 'timeZone'> | undefined {
  const timeZone = start?.timeZone;
  const [from, to] = [start, end].map((time) => Date.parse(time?.dateTime ?? ''));
  if (typeof timeZone !== 'string' || !(Number(from) < Number(to))) return undefined;
  return { start: wallTime(Number(from), timeZone), end: wallTime(Number(to), timeZone), timeZone };
}

export function bodyOf(event: CalendarCreate): Event {
  const { location, description, recurrence } = event;
  return {
    summary: event.title,
    start: timeOf(event.start, event.timeZone),
    end: timeOf(event.end, event.timeZone),
    ...(location === undefined ? {} : { location }),
    ...(description === undefined ? {} : { description }),
    ...(recurrence === undefined ? {} : { recurrence: [`RRULE:${recurrence}`] }),
    ...(event.attendees.length === 0
      ? {}
      : {
          attendees: event.attendees.map(({ email, name }) => ({
            email,
            ...(name === undefined ? {} : { displayName: name }),
          })),
        }),
    // Else the calendar's own would ring beside those that were approved.
    reminders: {
      useDefault: false,
      overrides: event.reminders.map((minutes) => ({ method: 'popup', minutes })),
    },
  };
}

/** A wall time as Google takes it: with its offset, and the zone in which a series goes on. */
function timeOf(wall: string, timeZone: string): calendar_v3.Schema$EventDateTime {
  const ms = instantOf(wall, timeZone);
  const local = wallTime(ms, timeZone);
  const minutes = Math.round((Date.parse(`${local}Z`) - ms) / 60_000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const size = Math.abs(minutes);
  const offset = minutes === 0 ? 'Z' : `${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
  return { dateTime: `${local}${offset}`, timeZone };
}

/** Whether each changed member is as it should be; times by their instant, as Google writes them in its own way. */
export function isAsChanged(event: Event, patch: Event): boolean {
  const same = (name: 'summary' | 'location' | 'description') =>
    patch[name] === undefined || (event[name] ?? '') === patch[name];
  const when = (name: 'start' | 'end') =>
    patch[name] === undefined ||
    Date.parse(event[name]?.dateTime ?? '') === Date.parse(patch[name]?.dateTime ?? '');
  return same('summary') && same('location') && same('description') && when('start') && when('end');
}

/** Our key as an id that Google takes: base32hex of its bytes (RFC 4648, 7), in lower case. */
export function idOf(effectKey: string): string {
  let bits = '';
  for (const byte of Buffer.from(effectKey, 'utf8')) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => Number.parseInt(five.padEnd(5, '0'), 2).toString(32))
    .join('');
}
