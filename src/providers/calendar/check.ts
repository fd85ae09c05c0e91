// Whether an event may be booked at all, whatever calendar it goes to: each field judged by itself, before
// anything is queued.
import ICAL from 'ical.js';
import { DrawbridgeError } from '../../errors.ts';
import { instantOf } from '../../time.ts';
import { type CalendarCreate, checkAddress } from '../capabilities.ts';
import { runBounded } from './bounded.ts';
import { ruleDates } from './recurrence.ts';

const ruleMs = 250;
/** A rule whose first date is farther off has none. */
const mostYearsAhead = 50 * 366 * 86_400_000;
const mostAttendees = 100;
const mostReminderMinutes = 40_320;
const wallForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;
const ruleForm = /^[A-Z]+=[A-Z0-9,+-]+(?:;[A-Z]+=[A-Z0-9,+-]+)*$/;

function refuse(field: string, why: string): never {
  throw new DrawbridgeError('invalid_request', `${field}: ${why}`, { field });
}

/** @throws DrawbridgeError `invalid_request` naming the field, and what would do instead. */
export function checkEvent(event: CalendarCreate): void {
  if (!isZone(event.timeZone)) refuse('timeZone', 'must be an IANA time zone, such as Europe/Berlin');
  for (const field of ['start', 'end'] as const) {
    const text = event[field];
    const ms = wallForm.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
    if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text) {
      refuse(field, 'must be a wall time like 2026-03-02T15:00:00, without offset');
    }
  }
  if (instantOf(event.end, event.timeZone) <= instantOf(event.start, event.timeZone)) {
    refuse('end', 'must be after the start');
  }
  for (const field of ['title', 'location'] as const) {
    const text = event[field] ?? '';
    if (/[\p{Cc}\u2028\u2029]/u.test(text)) refuse(field, 'holds a line break or a control character');
    if (text.length > 1000) refuse(field, 'is longer than 1,000 characters');
  }
  if (event.title.trim() === '') refuse('title', 'must not be empty');
  // Line breaks and tabs belong into a description; a lone CR and the rest of the controls do not.
  if (/(?!\r\n)[\p{Cc}](?<![\n\t])/u.test((event.description ?? '').replaceAll('\r\n', '\n'))) {
    refuse('description', 'holds a control character');
  }
  if ((event.description ?? '').length > 50_000) refuse('description', 'is longer than 50,000 characters');
  if (event.attendees.length > mostAttendees) refuse('attendees', `more than ${mostAttendees} attendees`);
  for (const [index, attendee] of event.attendees.entries()) {
    checkAddress(attendee, `attendees.${index}`);
    // Inside a parameter some calendar programs read a backslash as an escape, some do not.
    if (attendee.name?.includes('\\')) refuse(`attendees.${index}.name`, 'must not hold a backslash');
  }
  for (const [index, minutes] of event.reminders.entries()) {
    if (minutes > mostReminderMinutes)
      refuse(`reminders.${index}`, 'must be at most four weeks before the start');
  }
  if (event.recurrence !== undefined) checkRule(event.recurrence, event.start, event.timeZone);
}

function checkRule(rule: string, start: string, timeZone: string): void {
  const field = 'recurrence';
  if (rule.length > 500 || !ruleForm.test(rule)) {
    refuse(field, 'must be an RRULE value in capitals, such as FREQ=WEEKLY;BYDAY=MO;COUNT=10');
  }
  const parts = new Map(rule.split(';').map((part) => part.split('=', 2) as [string, string]));
  if (!/^(?:DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(parts.get('FREQ') ?? '')) {
    refuse(field, 'FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY');
  }
  if (parts.has('COUNT') && parts.has('UNTIL')) refuse(field, 'give COUNT or UNTIL, not both');
  if (parts.has('UNTIL') && !/^\d{8}T\d{6}Z$/.test(parts.get('UNTIL') ?? '')) {
    refuse(field, 'UNTIL must be a time in UTC, such as 20261231T225959Z');
  }
  if (parts.has('INTERVAL') && !/^[1-9]\d{0,3}$/.test(parts.get('INTERVAL') ?? '')) {
    refuse(field, 'INTERVAL must be 1 to 9999');
  }
  let parsed: ICAL.Recur;
  try {
    parsed = ICAL.Recur.fromString(rule);
  } catch (error) {
    refuse(field, `is no RRULE (${error instanceof Error ? error.message : 'unreadable'})`);
  }
  const { until } = parsed;
  if (until !== null && until !== undefined && instantOf(start, timeZone) > until.toUnixTime() * 1000) {
    refuse(field, 'matches no date at all: UNTIL is before the start');
  }
  const begin = Date.parse(`${start}Z`);
  const found = runBounded(
    () => ruleDates(parsed, begin, begin, begin + mostYearsAhead).next(),
    ruleMs,
  )?.result;
  const first = found?.done === false ? new Date(found.value).toISOString().slice(0, 19) : undefined;
  if (first === undefined) refuse(field, 'matches no date at all');
  if (first !== start) refuse(field, `its first date is ${first}, which is not the start; let both agree`);
}

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
