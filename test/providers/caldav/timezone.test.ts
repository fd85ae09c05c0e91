// A made VTIMEZONE says of every hour what the runtime's own time zone data say.
import ICAL from 'ical.js';
import { expect, test } from 'vitest';
import { vtimezone } from '../../../src/providers/calendar/timezone.ts';
import { instantOf, wallTime } from '../../../src/time.ts';

function zoneOf(name: string, from: number, to: number): ICAL.Timezone {
  return new ICAL.Timezone(ICAL.Component.fromString(vtimezone(name, from, to)));
}

test.each([
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Jerusalem',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'America/Santiago',
  'Europe/Dublin',
  'America/Sao_Paulo',
  'Etc/GMT+5',
])('%s agrees with the runtime on each side of every change of clocks', (name) => {
  const zone = zoneOf(name, 2026, 2030);
  for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2030, 0, 1); ms += 11 * 3_600_000) {
    const wall = wallTime(ms, name);
    const expected = instantOf(wall, name);
    // An hour that happens twice has two readings, and the library takes the other one.
    if (expected !== ms) continue;
    if ([1_800_000, 3_600_000].some((later) => wallTime(ms + later, name) === wall)) continue;
    const time = ICAL.Time.fromDateTimeString(wall);
    time.zone = zone;
    expect([wall, time.toUnixTime() * 1000]).toEqual([wall, expected]);
  }
});

test.each([
  ['Europe/Berlin', '2026-03-29T01:59:59', '2026-03-29T00:59:59Z'],
  ['Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:59:59', '2026-10-24T23:59:59Z'],
  ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00Z'],
  ['America/New_York', '2026-03-08T03:00:00', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T02:00:00', '2026-11-01T07:00:00Z'],
])('%s: %s is %s', (name, wall, instant) => {
  const time = ICAL.Time.fromDateTimeString(wall);
  time.zone = zoneOf(name, 2026, 2026);
  expect(time.toUnixTime() * 1000).toBe(Date.parse(instant));
});

test('a yearly rule carries the zone on for ever', () => {
  const text = vtimezone('Europe/Berlin', 2026, 2026);
  expect(text).toContain('RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n');
  expect(text).toContain('TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n');
  const time = ICAL.Time.fromDateTimeString('2049-07-01T12:00:00');
  time.zone = zoneOf('Europe/Berlin', 2026, 2026);
  expect(time.toUnixTime() * 1000).toBe(Date.parse('2049-07-01T10:00:00Z'));
});

test('changes that follow no yearly rule are listed one by one', () => {
  expect(vtimezone('Africa/Casablanca', 2026, 2030)).not.toContain('RRULE');
});
