// A calendar event (RFC 5545) as people read it: when, in its own time zone; where; who; how it repeats.
import ICAL from 'ical.js';
import { dropEndlessDurations } from '../../providers/calendar/bounded.ts';
import { zoneNamed } from '../../providers/calendar/zones.ts';
import type { Person } from '../../providers/record.ts';
import { cleanBlock, cleanLine } from './clean.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { recurrenceInWords } from './recurrence.ts';
import { decodeText, plainSpans } from './text.ts';

/** Minutes that a zone is ahead of UTC at an instant; undefined for a zone that is none. */
function offsetAt(zone: string, at: number): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      timeZoneName: 'longOffset',
    }).formatToParts(at);
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    const match = /GMT(?:([+-])(\d\d):(\d\d))?/u.exec(name);
    if (match === null) return undefined;
    const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
    return match[1] === '-' ? -minutes : minutes;
  } catch {
    return undefined;
  }
}

/** Integer ms of an event's time. A floating time is taken as UTC, an unknown zone's by its VTIMEZONE. */
function instantOf(time: ICAL.Time, zone: string | undefined): number {
  const asUtc = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
  if (time.isDate || zone === undefined) return asUtc;
  if (zone === 'UTC') return asUtc;
  const first = offsetAt(zone, asUtc);
  if (first === undefined) return time.toUnixTime() * 1000;
  const second = offsetAt(zone, asUtc - first * 60_000) ?? first;
  return asUtc - second * 60_000;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function dayInWords(time: ICAL.Time): string {
  const day = new Date(Date.UTC(time.year, time.month - 1, time.day)).getUTCDay();
  return `${weekdays[day]} ${time.day} ${months[time.month - 1]} ${time.year}`;
}

function whenInWords(start: ICAL.Time, end: ICAL.Time | undefined, zone: string | undefined): string {
  if (start.isDate) {
    // DTEND of an all-day event is the day after its last (RFC 5545, 3.6.1).
    const last = end?.clone();
    last?.adjust(-1, 0, 0, 0);
    const through = last !== undefined && last.compare(start) > 0 ? ` to ${dayInWords(last)}` : '';
    return `${dayInWords(start)}${through}, all day`;
  }
  const from = `${dayInWords(start)}, ${two(start.hour)}:${two(start.minute)}`;
  const where = zone === undefined ? '' : ` (${zone})`;
  if (end === undefined) return `${from}${where}`;
  const sameDay = end.year === start.year && end.month === start.month && end.day === start.day;
  const to = `${two(end.hour)}:${two(end.minute)}`;
  return `${from}${sameDay ? `–${to}` : ` to ${dayInWords(end)}, ${to}`}${where}`;
}

function personOf(property: ICAL.Property, role: Person['role']): Person[] {
  const address = cleanLine(String(property.getFirstValue() ?? ''))
    .replace(/^mailto:/iu, '')
    .toLowerCase();
  const parameter = property.getParameter('cn');
  const name = cleanLine(typeof parameter === 'string' ? parameter : '');
  const hasAddress = /^[^\s@]+@[^\s@]+$/u.test(address);
  if (!hasAddress && name === '') return [];
  return [
    {
      ...(hasAddress ? { address } : {}),
      ...(name === '' || name.toLowerCase() === address ? {} : { name }),
      role,
    },
  ];
}

function textOf(event: ICAL.Component, name: string): string {
  const value = event.getFirstPropertyValue(name);
  return value === null || value === undefined ? '' : cleanBlock(String(value));
}

function timeOf(
  event: ICAL.Component,
  name: string,
): { time: ICAL.Time; zone: string | undefined } | undefined {
  const property = event.getFirstProperty(name);
  const time = property?.getFirstValue();
  if (property === null || property === undefined || !(time instanceof ICAL.Time)) return undefined;
  const tzid = property.getParameter('tzid');
  const zone =
    typeof tzid === 'string'
      ? (zoneNamed(tzid) ?? tzid)
      : time.zone === ICAL.Timezone.utcTimezone
        ? 'UTC'
        : undefined;
  return { time, zone };
}

function eventIn(text: string): ICAL.Component {
  let calendar: ICAL.Component;
  try {
    calendar = new ICAL.Component(ICAL.parse(text) as never);
  } catch (thrown) {
    throw new UnreadableRecord(
      `is not a calendar: ${thrown instanceof Error ? thrown.message : 'malformed'}`,
    );
  }
  dropEndlessDurations(calendar);
  const events = calendar.name === 'vevent' ? [calendar] : calendar.getAllSubcomponents('vevent');
  // The event itself, not one of its moved occurrences.
  const event = events.find((one) => !one.hasProperty('recurrence-id')) ?? events[0];
  if (event === undefined) throw new UnreadableRecord('has no event in it');
  return event;
}

/** @throws UnreadableRecord when it is no calendar, or has no event with a start */
export function readCalendar(raw: Uint8Array): Normalised {
  const event = eventIn(decodeText(raw));
  const start = timeOf(event, 'dtstart');
  if (start === undefined) throw new UnreadableRecord('DTSTART is missing or malformed');
  let end = timeOf(event, 'dtend');
  const duration = event.getFirstPropertyValue('duration');
  if (end === undefined && duration instanceof ICAL.Duration) {
    const time = start.time.clone();
    time.addDuration(duration);
    end = { time, zone: start.zone };
  }
  const title = cleanLine(textOf(event, 'summary')) || '(no title)';
  const people = [
    ...event.getAllProperties('organizer').flatMap((property) => personOf(property, 'organiser')),
    ...event.getAllProperties('attendee').flatMap((property) => personOf(property, 'attendee')),
  ];
  const rule = event.getFirstPropertyValue('rrule');
  const location = cleanLine(textOf(event, 'location'));
  const status = textOf(event, 'status').toLowerCase();
  const url = textOf(event, 'url');
  const said = (role: Person['role']): string =>
    people
      .filter((person) => person.role === role)
      .map((person) => [person.name, person.address && `<${person.address}>`].filter(Boolean).join(' '))
      .join(', ');
  const lines: [string, string][] = [
    ['When', whenInWords(start.time, end?.time, start.zone)],
    ['Repeats', rule instanceof ICAL.Recur ? recurrenceInWords(rule) : ''],
    ['Where', location],
    ['Organiser', said('organiser')],
    ['Attendees', said('attendee')],
    ['Status', status === 'confirmed' ? '' : status],
  ];
  const text = cleanBlock(
    [
      title,
      ...lines.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`),
      '',
      textOf(event, 'description'),
    ].join('\n'),
  );
  const writtenAt = instantOf(start.time, start.zone);
  const uid = textOf(event, 'uid');
  return {
    title,
    text,
    spans: plainSpans(text),
    cut: 'record',
    people,
    ...(url === '' ? {} : { url }),
    writtenAt,
    facts: {
      ...(uid === '' ? {} : { uid }),
      start: writtenAt,
      ...(end === undefined ? {} : { end: instantOf(end.time, end.zone) }),
      allDay: start.time.isDate,
      ...(start.zone === undefined ? {} : { timeZone: start.zone }),
      ...(location === '' ? {} : { location }),
      ...(status === '' ? {} : { status }),
      ...(rule instanceof ICAL.Recur ? { recurrence: rule.toString() } : {}),
    },
  };
}
