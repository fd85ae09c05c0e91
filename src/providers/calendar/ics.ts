// An event of a calendar's own API as iCalendar (RFC 5545), so that it is read in memory as any other.
import ICAL from 'ical.js';
import { wallTime } from '../../time.ts';
import { isZone } from './check.ts';

type Text = string | null | undefined;

export interface EventTime {
  /** With its offset. */
  dateTime?: Text;
  /** In place of it: a whole day. */
  date?: Text;
  /** IANA. */
  timeZone?: Text;
}

/** In the words of Google's API, whose events are given as they are. */
export interface ApiEvent {
  id?: Text;
  iCalUID?: Text;
  summary?: Text;
  location?: Text;
  description?: Text;
  status?: Text;
  transparency?: Text;
  htmlLink?: Text;
  hangoutLink?: Text;
  start?: EventTime | null | undefined;
  end?: EventTime | null | undefined;
  originalStartTime?: EventTime | null | undefined;
  organizer?: { email?: Text; displayName?: Text } | null | undefined;
  attendees?: { email?: Text; displayName?: Text; responseStatus?: Text }[] | null | undefined;
  /** Lines of RFC 5545. */
  recurrence?: string[] | null | undefined;
}

const participation: Record<string, string> = {
  needsAction: 'NEEDS-ACTION',
  declined: 'DECLINED',
  tentative: 'TENTATIVE',
  accepted: 'ACCEPTED',
};

/**
 * @param zone of the calendar, for an event that names none; IANA
 * @param product whose event it is (PRODID)
 * @returns undefined where the event has no start
 */
export function icsOf(
  event: ApiEvent,
  zone: string | undefined,
  product = '-//Google Inc//Google Calendar//EN',
): string | undefined {
  const vevent = new ICAL.Component('vevent');
  const text = (name: string, value: Text) => {
    if (typeof value === 'string' && value !== '') vevent.addPropertyWithValue(name, value);
  };
  text('uid', event.iCalUID ?? event.id);
  if (!addTime(vevent, 'dtstart', event.start, zone)) return undefined;
  addTime(vevent, 'dtend', event.end, zone);
  addTime(vevent, 'recurrence-id', event.originalStartTime, zone);
  text('summary', event.summary);
  text('location', event.location);
  text('description', event.description);
  text('status', event.status?.toUpperCase());
  text('transp', event.transparency?.toUpperCase());
  text('url', event.htmlLink);
  text('x-google-conference', event.hangoutLink);
  if (typeof event.organizer?.email === 'string') {
    const organizer = vevent.addPropertyWithValue('organizer', `mailto:${event.organizer.email}`);
    if (event.organizer.displayName) organizer.setParameter('cn', quotable(event.organizer.displayName));
  }
  for (const { email, displayName, responseStatus } of event.attendees ?? []) {
    if (typeof email !== 'string') continue;
    const attendee = vevent.addPropertyWithValue('attendee', `mailto:${email}`);
    if (displayName) attendee.setParameter('cn', quotable(displayName));
    attendee.setParameter('partstat', participation[responseStatus ?? ''] ?? 'NEEDS-ACTION');
  }
  for (const line of event.recurrence ?? []) addRecurrence(vevent, line);
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', product);
  calendar.addSubcomponent(vevent);
  return `${calendar.toString()}\r\n`;
}

/** An instant is written as wall time in its zone, a date as a date. */
function addTime(
  vevent: ICAL.Component,
  name: string,
  time: EventTime | null | undefined,
  fallback: string | undefined,
): boolean {
  if (typeof time?.date === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(time.date)) {
    vevent.addPropertyWithValue(name, ICAL.Time.fromDateString(time.date));
    return true;
  }
  const ms = Date.parse(time?.dateTime ?? '');
  if (Number.isNaN(ms)) return false;
  const zone = [time?.timeZone, fallback].find((one) => typeof one === 'string' && isZone(one)) ?? 'UTC';
  if (zone === 'UTC') {
    vevent.addPropertyWithValue(name, ICAL.Time.fromDateTimeString(`${wallTime(ms, 'UTC')}Z`));
    return true;
  }
  const property = vevent.addPropertyWithValue(name, ICAL.Time.fromDateTimeString(wallTime(ms, zone)));
  property.setParameter('tzid', zone);
  return true;
}

/** RRULE, RDATE and EXDATE come as lines; one that is none of them, or cannot be read, is left out. */
function addRecurrence(vevent: ICAL.Component, line: string): void {
  if (!/^(?:RRULE|RDATE|EXDATE)[;:][^\r\n]*$/.test(line)) return;
  try {
    vevent.addProperty(ICAL.Property.fromString(line));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/** No quoting brings a double quote into a parameter (RFC 5545, 3.2). */
function quotable(name: string): string {
  return name.replaceAll('"', "'").replace(/\p{Cc}/gu, ' ');
}
