// The user's calendar in the story, written out as iCalendar (RFC 5545).
import { type StoryDates, zone } from '../dates.ts';
import { rows } from './event-rows.ts';
import { type Contact, contact } from './people.ts';

/** One event as it is written down. */
export interface EventRow {
  day: number;
  /** `HH:MM`, or undefined for a whole day. */
  start?: string;
  minutes?: number;
  title: string;
  place?: string;
  with?: string[];
  words?: string;
  rule?: string;
}

export interface WorldEvent {
  uid: string;
  title: string;
  /** Integer ms of the first occurrence's start. */
  start: number;
  ics: string;
}

const timezoneLines = [
  'BEGIN:VTIMEZONE',
  `TZID:${zone}`,
  'BEGIN:DAYLIGHT',
  'TZOFFSETFROM:-0800',
  'TZOFFSETTO:-0700',
  'TZNAME:PDT',
  'DTSTART:20070311T020000',
  'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU',
  'END:DAYLIGHT',
  'BEGIN:STANDARD',
  'TZOFFSETFROM:-0700',
  'TZOFFSETTO:-0800',
  'TZNAME:PST',
  'DTSTART:20071104T020000',
  'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU',
  'END:STANDARD',
  'END:VTIMEZONE',
];

const escapeText = (text: string) => text.replace(/[\\;,]/g, '\\$&').replace(/\n/g, '\\n');

/** Lines of at most 75 octets (RFC 5545 3.1). */
function fold(line: string): string {
  let folded = '';
  let length = 0;
  for (const char of line) {
    const size = Buffer.byteLength(char);
    if (length + size > 74) {
      folded += '\r\n ';
      length = 1;
    }
    folded += char;
    length += size;
  }
  return folded;
}

function moment(dates: StoryDates, day: number, time: string, plusMinutes: number): string {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const total = hour * 60 + minute + plusMinutes;
  const date = dates.isoDate(day + Math.floor(total / 1440)).replaceAll('-', '');
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date}T${two(Math.floor((total % 1440) / 60))}${two(total % 60)}00`;
}

const attendee = ({ name, email }: Contact) =>
  `ATTENDEE;CN="${name}";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:${email}`;

function vevent(row: EventRow, uid: string, dates: StoryDates): string[] {
  const stamp = new Date(dates.at(Math.min(row.day - 3, 180), '12:00')).toISOString();
  const times =
    row.start === undefined
      ? [
          `DTSTART;VALUE=DATE:${dates.isoDate(row.day).replaceAll('-', '')}`,
          `DTEND;VALUE=DATE:${dates.isoDate(row.day + 1).replaceAll('-', '')}`,
        ]
      : [
          `DTSTART;TZID=${zone}:${moment(dates, row.day, row.start, 0)}`,
          `DTEND;TZID=${zone}:${moment(dates, row.day, row.start, row.minutes ?? 60)}`,
        ];
  const people = (row.with ?? []).map(contact);
  return [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${stamp.replace(/[-:]|\.\d{3}/g, '')}`,
    ...times,
    `SUMMARY:${escapeText(row.title)}`,
    ...(row.place === undefined ? [] : [`LOCATION:${escapeText(row.place)}`]),
    ...(row.words === undefined ? [] : [`DESCRIPTION:${escapeText(dates.fill(row.words, row.day))}`]),
    ...(row.rule === undefined ? [] : [`RRULE:${row.rule}`]),
    ...(people.length === 0 ? [] : [`ORGANIZER;CN="Maren Okafor":mailto:${contact('maren').email}`]),
    ...people.map(attendee),
    'END:VEVENT',
  ];
}

const calendar = (inner: string[]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Sandbox//Story//EN',
    ...timezoneLines,
    ...inner,
    'END:VCALENDAR',
    '',
  ]
    .map(fold)
    .join('\r\n');

export function composeEvents(dates: StoryDates): WorldEvent[] {
  return rows.map((row, index) => {
    const uid = `story-${String(index + 1).padStart(3, '0')}@tidewell.example`;
    return {
      uid,
      title: row.title,
      start: dates.at(row.day, row.start ?? '00:00'),
      ics: calendar(vevent(row, uid, dates)),
    };
  });
}

/** All events in one calendar file. */
export function calendarFile(dates: StoryDates): string {
  return calendar(
    rows.flatMap((row, index) =>
      vevent(row, `story-${String(index + 1).padStart(3, '0')}@tidewell.example`, dates),
    ),
  );
}
