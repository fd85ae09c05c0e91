// The iCalendar object of an approved event: escaped by the library, then read back and compared, so that no
// text of an event can become a line of its own.
import ICAL from 'ical.js';
import { DrawbridgeError } from '../../errors.ts';
import { instantOf } from '../../time.ts';
import { type CalendarCreate, checkAddress } from '../capabilities.ts';
import { runBounded } from './bounded.ts';
import { isZone } from './dav.ts';
import { vtimezone } from './timezone.ts';

const ruleMs = 250;
// The library folds after so many octets and then adds the leading space: RFC 5545 3.1 wants 75 in all.
ICAL.foldLength = 74;
const mostAttendees = 100;
const mostReminderMinutes = 40_320;
// How many years of clock changes an event that repeats carries where they follow no yearly rule.
const zoneYears = 20;
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
  if (event.recurrence !== undefined) checkRule(event.recurrence, event.start);
}

function checkRule(rule: string, start: string): void {
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
  const dates: string[] = [];
  let ended = false;
  try {
    const dated = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromDateTimeString(start));
    ended = runBounded(() => {
      // The first may be the start itself without matching; only the second shows that the rule ever does.
      for (let next = dated.next(); next !== null && dates.length < 2; next = dated.next()) {
        dates.push(next.toString());
      }
    }, ruleMs);
  } catch (error) {
    refuse(field, `is no RRULE (${error instanceof Error ? error.message : 'unreadable'})`);
  }
  const [first] = dates;
  if (!ended || first === undefined) refuse(field, 'matches no date at all');
  if (first !== start) refuse(field, `its first date is ${first}, which is not the start; let both agree`);
}

export interface EventIdentity {
  uid: string;
  /** Address of the account, where it is known: then it is the organiser. */
  organiser: string | undefined;
  /** Integer ms. */
  stamp: number;
}

/**
 * The VCALENDAR text of an event, lines ending in CRLF.
 * @throws DrawbridgeError `invalid_request`, or `internal` when the result is not what was approved.
 */
export function composeEvent(event: CalendarCreate, identity: EventIdentity): string {
  checkEvent(event);
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', '-//Drawbridge//EN');
  const vevent = new ICAL.Component('vevent');
  vevent.addPropertyWithValue('uid', identity.uid);
  vevent.addPropertyWithValue('dtstamp', ICAL.Time.fromJSDate(new Date(identity.stamp), true));
  addTime(vevent, 'dtstart', event.start, event.timeZone);
  addTime(vevent, 'dtend', event.end, event.timeZone);
  vevent.addPropertyWithValue('summary', event.title);
  if (event.location !== undefined) vevent.addPropertyWithValue('location', event.location);
  const description = event.description?.replaceAll('\r\n', '\n');
  if (description !== undefined) vevent.addPropertyWithValue('description', description);
  if (event.recurrence !== undefined) {
    vevent.addPropertyWithValue('rrule', ICAL.Recur.fromString(event.recurrence));
  }
  if (identity.organiser !== undefined && event.attendees.length > 0) {
    vevent.addPropertyWithValue('organizer', calAddress(identity.organiser));
  }
  for (const { email, name } of event.attendees) {
    const attendee = vevent.addPropertyWithValue('attendee', calAddress(email));
    if (name !== undefined) attendee.setParameter('cn', name);
    attendee.setParameter('role', 'REQ-PARTICIPANT');
    attendee.setParameter('partstat', 'NEEDS-ACTION');
    attendee.setParameter('rsvp', 'TRUE');
  }
  for (const minutes of event.reminders) {
    const alarm = new ICAL.Component('valarm');
    alarm.addPropertyWithValue('action', 'DISPLAY');
    alarm.addPropertyWithValue('description', event.title);
    alarm.addPropertyWithValue('trigger', ICAL.Duration.fromSeconds(-60 * minutes));
    vevent.addSubcomponent(alarm);
  }
  if (!isUtc(event.timeZone)) {
    const [from, to] = [Number(event.start.slice(0, 4)), Number(event.end.slice(0, 4))];
    const zone = vtimezone(event.timeZone, from, event.recurrence === undefined ? to : to + zoneYears);
    calendar.addSubcomponent(ICAL.Component.fromString(zone));
  }
  calendar.addSubcomponent(vevent);
  const text = `${calendar.toString()}\r\n`;
  verify(text, event, identity);
  return text;
}

function addTime(vevent: ICAL.Component, name: string, wall: string, zone: string): void {
  const time = ICAL.Time.fromDateTimeString(isUtc(zone) ? `${wall}Z` : wall);
  const property = vevent.addPropertyWithValue(name, time);
  if (!isUtc(zone)) property.setParameter('tzid', zone);
}

function isUtc(zone: string): boolean {
  return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone === 'UTC';
}

/** An address as a URI; marks that would mean something in a URI or a parameter are percent-encoded (RFC 6068). */
function calAddress(email: string): string {
  return `mailto:${email.replace(/[%?#/&`{}|^=]/g, encodeURIComponent)}`;
}

function verify(text: string, event: CalendarCreate, identity: EventIdentity): void {
  const calendar = ICAL.Component.fromString(text);
  const events = calendar.getAllSubcomponents('vevent');
  const [vevent] = events;
  const value = (name: string) => vevent?.getFirstPropertyValue(name) ?? undefined;
  const attendees = vevent?.getAllProperties('attendee') ?? [];
  const expected = ['uid', 'dtstamp', 'dtstart', 'dtend', 'summary'];
  if (event.location !== undefined) expected.push('location');
  if (event.description !== undefined) expected.push('description');
  if (event.recurrence !== undefined) expected.push('rrule');
  if (identity.organiser !== undefined && event.attendees.length > 0) expected.push('organizer');
  expected.push(...event.attendees.map(() => 'attendee'));
  const same =
    calendar.getAllSubcomponents().length === (isUtc(event.timeZone) ? 1 : 2) &&
    events.length === 1 &&
    (vevent?.getAllProperties() ?? []).map(({ name }) => name).join() === expected.join() &&
    (vevent?.getAllSubcomponents() ?? []).length === event.reminders.length &&
    value('uid') === identity.uid &&
    value('summary') === event.title &&
    value('location') === event.location &&
    value('description') === event.description?.replaceAll('\r\n', '\n') &&
    attendees.every(
      (attendee, index) =>
        attendee.getFirstValue() === calAddress(event.attendees[index]?.email ?? '') &&
        (attendee.getFirstParameter('cn') ?? undefined) === event.attendees[index]?.name,
    );
  if (!same) {
    throw new DrawbridgeError(
      'internal',
      'The composed event is not the one that was approved; nothing was booked.',
    );
  }
}
