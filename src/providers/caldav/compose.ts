// The iCalendar object of an approved event: escaped by the library, then read back and compared, so that no
// text of an event can become a line of its own.
import ICAL from 'ical.js';
import { DrawbridgeError } from '../../errors.ts';
import { checkEvent } from '../calendar/check.ts';
import { vtimezone } from '../calendar/timezone.ts';
import type { CalendarCreate } from '../capabilities.ts';

// The library folds after so many octets and then adds the leading space: RFC 5545 3.1 wants 75 in all.
ICAL.foldLength = 74;
// How many years of clock changes an event that repeats carries where they follow no yearly rule.
const zoneYears = 20;
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
