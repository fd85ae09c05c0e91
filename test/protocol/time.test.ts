// Wall time and instants, over the days on which clocks change.
import { expect, test } from 'vitest';
import {
  ageInWords,
  checkTimeZone,
  instantOf,
  parseInstant,
  parseWallTime,
  wallTime,
} from '../../src/time.ts';

test.each([
  ['2026-07-01T12:00:00', 'Europe/Berlin', '2026-07-01T10:00:00.000Z'],
  ['2026-01-01T12:00:00', 'Europe/Berlin', '2026-01-01T11:00:00.000Z'],
  // Skipped: clocks go from 02:00 to 03:00. It moves forward by the change.
  ['2026-03-29T02:30:00', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
  // Repeated: the first of the two.
  ['2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  ['2026-11-01T01:30:00', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ['2026-05-05T09:00:00', 'Asia/Kathmandu', '2026-05-05T03:15:00.000Z'],
  ['2026-05-05T00:00:00', 'Pacific/Kiritimati', '2026-05-04T10:00:00.000Z'],
])('%s in %s is %s', (wall, zone, instant) => {
  expect(new Date(instantOf(wall, zone)).toISOString()).toBe(instant);
});

test('every hour of a year comes back from its wall time, but for the hours that clocks repeat', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC']) {
    let strange = 0;
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ms += 3_600_000) {
      if (instantOf(wallTime(ms, zone), zone) !== ms) strange += 1;
    }
    expect(strange, zone).toBeLessThanOrEqual(1);
  }
});

test('a time with an offset is the same instant, shown in the zone', () => {
  expect(parseWallTime('2026-03-01T15:00:00-05:00', 'Europe/Berlin', 'start')).toEqual({
    wall: '2026-03-01T21:00:00',
    ms: Date.UTC(2026, 2, 1, 20),
  });
});

test.each(['tomorrow', '2026-02-30T10:00', '2026-13-01T10:00', '2026-03-01', '2026-03-01T25:00', ''])(
  '%j is refused as a start, by name',
  (text) => {
    expect(() => parseWallTime(text, 'UTC', 'start')).toThrow(/^start: /);
  },
);

test('a zone that is none and a date that is none are refused by name', () => {
  expect(() => checkTimeZone('Mars/Phobos', 'timeZone')).toThrow(/^timeZone: /);
  expect(() => parseInstant('last week', 'since')).toThrow(/^since: /);
});

test('an age is said in whole units, the largest first', () => {
  expect([30_000, 60_000, 3_600_000 * 5, 86_400_000 * 3, 86_400_000 * 800].map(ageInWords)).toEqual([
    'less than a minute',
    '1 minute',
    '5 hours',
    '3 days',
    '2 years',
  ]);
});
