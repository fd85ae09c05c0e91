// Busy times of single calendar objects, hostile ones among them.
import { expect, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { readCalendar } from '../../../src/memory/normalise/calendar.ts';
import { busyIn } from '../../../src/providers/caldav/free-busy.ts';
import { merged } from '../../../src/providers/calendar/busy.ts';

const context = { log: createLog({ level: 'silent' }) };
const march = { from: Date.parse('2026-03-01T00:00Z'), to: Date.parse('2026-04-01T00:00Z') };

function object(...events: string[]): string {
  const body = events
    .map((lines) => `BEGIN:VEVENT\nUID:u\nDTSTAMP:20260101T000000Z\n${lines}\nEND:VEVENT`)
    .join('\n');
  return `BEGIN:VCALENDAR\nVERSION:2.0\n${body}\nEND:VCALENDAR\n`.replaceAll('\n', '\r\n');
}

function spans(text: string, more: { zone?: string; own?: string } = {}, window = march): string[] {
  const reading = { zone: more.zone ?? 'UTC', own: more.own, context };
  return merged(busyIn(text, window, reading)).map(
    ({ start, end }) =>
      `${new Date(start).toISOString().slice(0, 16)}/${new Date(end).toISOString().slice(0, 16)}`,
  );
}

test('a whole day is the day of its zone, also where the clocks change on it', () => {
  const day = object('DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330');
  expect(spans(day, { zone: 'Europe/Berlin' })).toEqual(['2026-03-28T23:00/2026-03-29T22:00']);
  expect(spans(day, { zone: 'America/Los_Angeles' })).toEqual(['2026-03-29T07:00/2026-03-30T07:00']);
  const alone = object('DTSTART;VALUE=DATE:20260310');
  expect(spans(alone)).toEqual(['2026-03-10T00:00/2026-03-11T00:00']);
});

test('a time without zone is meant in the calendar’s zone', () => {
  expect(spans(object('DTSTART:20260310T090000\nDTEND:20260310T100000'), { zone: 'Asia/Tokyo' })).toEqual([
    '2026-03-10T00:00/2026-03-10T01:00',
  ]);
});

test.each(['P999999999999999999W', '-P999999999999999999W'])(
  'attack: a duration of %s holds nobody up, here or where events are read',
  async (duration) => {
    const text = object(
      `DTSTART:20260310T090000Z\nDURATION:${duration}`,
      'DTSTART:20260311T090000Z\nDURATION:PT1H',
    );
    expect(spans(text)).toEqual(['2026-03-11T09:00/2026-03-11T10:00']);
    expect(readCalendar(Buffer.from(text)).text).toContain('Tuesday 10 March 2026, 09:00');
  },
);

test('a zone named without definition is known by its IANA name, across the change of clocks', () => {
  expect(
    spans(
      object(
        'DTSTART;TZID=America/New_York:20260307T090000\nDTEND;TZID=America/New_York:20260307T100000\nRRULE:FREQ=DAILY;COUNT=2',
      ),
    ),
  ).toEqual(['2026-03-07T14:00/2026-03-07T15:00', '2026-03-08T13:00/2026-03-08T14:00']);
});

test('a series that ends by UNTIL ends on its last date', () => {
  expect(
    spans(
      object(
        'DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260302T093000\nRRULE:FREQ=DAILY;UNTIL=20260304T080000Z',
      ),
    ),
  ).toHaveLength(3);
});

test('a series from long ago still keeps its days', () => {
  expect(spans(object('DTSTART:19990101T090000Z\nDTEND:19990101T100000Z\nRRULE:FREQ=WEEKLY'))).toHaveLength(
    4,
  );
});

test('an override that moves a far date into the window keeps it busy, and the old date is free', () => {
  const text = object(
    'DTSTART:20260105T090000Z\nDTEND:20260105T100000Z\nRRULE:FREQ=MONTHLY;COUNT=12',
    'RECURRENCE-ID:20260905T090000Z\nDTSTART:20260320T090000Z\nDTEND:20260320T100000Z',
    'RECURRENCE-ID:20260305T090000Z\nSTATUS:CANCELLED\nDTSTART:20260305T090000Z\nDTEND:20260305T100000Z',
  );
  expect(spans(text)).toEqual(['2026-03-20T09:00/2026-03-20T10:00']);
});

test('an invitation to one date of a series, without the series, counts', () => {
  expect(
    spans(object('RECURRENCE-ID:20260305T090000Z\nDTSTART:20260305T090000Z\nDTEND:20260305T100000Z')),
  ).toHaveLength(1);
});

test('what the account has declined does not keep it busy', () => {
  const text = object(
    'DTSTART:20260310T090000Z\nDTEND:20260310T100000Z\nATTENDEE;PARTSTAT=DECLINED:mailto:Ann@example.com',
  );
  expect(spans(text, { own: 'ann@example.com' })).toEqual([]);
  expect(spans(text, { own: 'bob@example.com' })).toHaveLength(1);
});

test.each([
  'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
  'FREQ=SECONDLY',
  'FREQ=DAILY;INTERVAL=0',
  'FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30',
  'FREQ=YEARLY;BYSETPOS=9;BYDAY=MO;BYMONTH=1',
])('a rule that never ends (%s) costs a moment, not the process', (rule) => {
  // The processor's time: a crowded machine gives the rest to others.
  const started = process.cpuUsage();
  spans(
    object(
      `DTSTART:20200101T090000Z\nDTEND:20200101T091000Z\nRRULE:${rule}`,
      'DTSTART:20260310T090000Z\nDTEND:20260310T100000Z',
    ),
  );
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000);
});

test.each([
  '',
  'BEGIN:VCALENDAR',
  'not a calendar',
  object('DTSTART:99999999T999999Z'),
  object('SUMMARY:no start'),
])('an object that cannot be read (%j) is passed over', (text) => {
  expect(() => spans(text)).not.toThrow();
});

test('times that touch are joined, and the window cuts what reaches beyond it', () => {
  expect(
    merged([
      { start: 5, end: 6 },
      { start: 1, end: 3, title: 'a' },
      { start: 3, end: 4, title: 'b' },
    ]),
  ).toEqual([
    { start: 1, end: 4, title: 'a; b' },
    { start: 5, end: 6 },
  ]);
  expect(spans(object('DTSTART:20260220T000000Z\nDTEND:20260302T000000Z'))).toEqual([
    '2026-03-01T00:00/2026-03-02T00:00',
  ]);
});

test('the last working day of a quarter’s last month is the one that Outlook means', () => {
  const text = object(
    'DTSTART;TZID=Europe/Berlin:20260331T090000\nDTEND;TZID=Europe/Berlin:20260331T100000\nRRULE:FREQ=YEARLY;BYMONTH=3,6;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9,16;BYSETPOS=-1',
  );
  const year = { from: Date.parse('2026-04-01T00:00Z'), to: Date.parse('2028-01-01T00:00Z') };
  expect(spans(text, {}, year)).toEqual([
    '2026-06-30T14:00/2026-06-30T15:00',
    '2027-06-30T14:00/2027-06-30T15:00',
  ]);
});

test.each([
  ['in UTC', 'EXDATE:20260303T080000Z'],
  ['as a whole day', 'EXDATE;VALUE=DATE:20260303'],
])('a date that is taken out %s is free', (_how, exdate) => {
  const text = object(
    `DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260302T100000\nRRULE:FREQ=DAILY;COUNT=2\n${exdate}`,
  );
  expect(spans(text)).toEqual(['2026-03-02T08:00/2026-03-02T09:00']);
});

test('an override that names its date in UTC takes the place of that date', () => {
  const text = object(
    'DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260302T100000\nRRULE:FREQ=DAILY;COUNT=2',
    'RECURRENCE-ID:20260303T080000Z\nDTSTART;TZID=Europe/Berlin:20260320T090000\nDTEND;TZID=Europe/Berlin:20260320T100000',
  );
  expect(spans(text)).toEqual(['2026-03-02T08:00/2026-03-02T09:00', '2026-03-20T08:00/2026-03-20T09:00']);
});

test.each([
  'W. Europe Standard Time',
  '/freeassociation.sourceforge.net/Europe/Berlin',
  '/mozilla.org/20070129_1/Europe/Berlin',
])('the zone %s, which no VTIMEZONE defines, is known by its name', (zone) => {
  const text = object(`DTSTART;TZID=${zone}:20260710T090000\nDTEND;TZID=${zone}:20260710T100000`);
  const july = { from: Date.parse('2026-07-01T00:00Z'), to: Date.parse('2026-08-01T00:00Z') };
  expect(spans(text, { zone: 'Asia/Tokyo' }, july)).toEqual(['2026-07-10T07:00/2026-07-10T08:00']);
});
