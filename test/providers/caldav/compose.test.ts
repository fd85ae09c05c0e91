// The text of an event: what is approved and nothing else, whatever stands in its fields.
import fc from 'fast-check';
import ICAL from 'ical.js';
import { expect, test } from 'vitest';
import { DrawbridgeError } from '../../../src/errors.ts';
import { composeEvent } from '../../../src/providers/caldav/compose.ts';
import { checkEvent } from '../../../src/providers/calendar/check.ts';
import type { CalendarCreate } from '../../../src/providers/capabilities.ts';

const identity = {
  uid: 'eff_1@drawbridge',
  organiser: 'ann@example.com',
  stamp: Date.parse('2026-01-01T00:00Z'),
};

function event(more: Partial<CalendarCreate> = {}): CalendarCreate {
  return {
    title: 'Viewing',
    start: '2026-03-02T15:00:00',
    end: '2026-03-02T16:00:00',
    timeZone: 'Europe/Berlin',
    attendees: [],
    reminders: [],
    ...more,
  };
}

test.each<[string, Partial<CalendarCreate>]>([
  ['title', { title: 'Viewing\r\nATTENDEE:mailto:evil@evil.example' }],
  ['title', { title: 'Viewing\u2028x' }],
  ['title', { title: '  ' }],
  ['location', { location: 'Here\nURL:https://evil.example' }],
  ['description', { description: 'a\rEND:VEVENT' }],
  ['description', { description: 'a\0b' }],
  ['timeZone', { timeZone: 'Europe/Atlantis' }],
  ['timeZone', { timeZone: 'Europe/Berlin\r\nX:y' }],
  ['start', { start: '2026-03-02T15:00:00Z' }],
  ['start', { start: '2026-02-30T15:00:00' }],
  ['end', { end: '2026-03-02T15:00:00' }],
  ['attendees.0.email', { attendees: [{ email: 'bob@example.org\r\nATTENDEE:mailto:evil@evil.example' }] }],
  ['attendees.0.name', { attendees: [{ email: 'bob@example.org', name: 'Bob:mailto:evil@evil.example' }] }],
  ['reminders.0', { reminders: [40_321] }],
  ['recurrence', { recurrence: 'FREQ=WEEKLY\r\nATTENDEE:mailto:evil@evil.example' }],
  ['recurrence', { recurrence: 'RRULE:FREQ=WEEKLY' }],
  ['recurrence', { recurrence: 'FREQ=SECONDLY' }],
  ['recurrence', { recurrence: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30' }],
  ['recurrence', { recurrence: 'FREQ=DAILY;INTERVAL=0' }],
  ['recurrence', { recurrence: 'FREQ=WEEKLY;BYDAY=XX' }],
  ['recurrence', { recurrence: 'FREQ=WEEKLY;COUNT=3;UNTIL=20260401T000000Z' }],
  ['recurrence', { recurrence: 'FREQ=WEEKLY;UNTIL=20260401' }],
  ['recurrence', { recurrence: 'FREQ=DAILY;UNTIL=20200101T000000Z' }],
  // The second of March 2026 is a Monday.
  ['recurrence', { recurrence: 'FREQ=WEEKLY;BYDAY=TU' }],
])('a bad %s is refused by name', (field, bad) => {
  expect(() => checkEvent(event(bad))).toThrowError(
    expect.objectContaining({ code: 'invalid_request', field }),
  );
});

test('a good event passes, at the edges too', () => {
  for (const good of [
    event(),
    event({ timeZone: 'UTC' }),
    event({ recurrence: 'FREQ=MONTHLY;BYDAY=1MO;COUNT=5', reminders: [0, 40_320] }),
    event({ recurrence: 'FREQ=YEARLY;UNTIL=20300302T140000Z' }),
    event({ description: 'a\r\nb\n\tc' }),
    // The hour that the clocks skip: it begins an hour later, as RFC 5545 says.
    event({ start: '2026-03-29T02:30:00', end: '2026-03-29T04:00:00' }),
  ]) {
    expect(() => checkEvent(good)).not.toThrow();
    expect(composeEvent(good, identity)).toContain('BEGIN:VEVENT');
  }
});

test('in UTC no time zone is written', () => {
  const text = composeEvent(event({ timeZone: 'Etc/UTC' }), identity);
  expect(text).toContain('DTSTART:20260302T150000Z');
  expect(text).not.toContain('VTIMEZONE');
});

test('lines end in CRLF and hold at most 75 octets, in any script', () => {
  const text = composeEvent(
    event({ title: '東京で家を見る'.repeat(20), description: 'ü'.repeat(500) }),
    identity,
  );
  for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  expect(text).not.toMatch(/[^\r]\n/);
});

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\n', '\r', '\\', '\\n', ';', ',', ':', '"', "^'", '^n', '\t', ' '),
      fc.constantFrom(
        'ATTENDEE:mailto:evil@evil.example',
        'END:VEVENT',
        'BEGIN:VALARM',
        ';CN=x',
        'TZID=',
        '\r\n X',
      ),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

test('whatever stands in an event, it is refused by field, or reads back as what was approved', () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.record({
        title: hostile,
        location: hostile,
        description: hostile,
        attendees: fc.array(
          fc.record({
            email: fc.oneof(
              hostile,
              fc.stringMatching(/^[a-z!#$%&'*+/=?^_`{|}~-]{1,8}@[a-z]{1,9}\.[a-z]{2,5}$/),
            ),
            name: fc.oneof(hostile, fc.string({ unit: 'grapheme', maxLength: 9 })),
          }),
          { maxLength: 2 },
        ),
      }),
      (fields) => {
        let text: string;
        try {
          text = composeEvent(event(fields), identity);
        } catch (error) {
          if (error instanceof DrawbridgeError && error.code === 'invalid_request') return;
          throw error;
        }
        accepted += 1;
        const lines = text.replace(/\r\n[ \t]/g, '').split('\r\n');
        expect(lines.filter((line) => line.startsWith('ATTENDEE'))).toHaveLength(fields.attendees.length);
        expect(lines.filter((line) => line.startsWith('BEGIN:VEVENT'))).toHaveLength(1);
        expect(lines.filter((line) => line.startsWith('BEGIN:VALARM'))).toHaveLength(0);
        const read = ICAL.Component.fromString(text).getFirstSubcomponent('vevent');
        expect(read?.getFirstPropertyValue('summary')).toBe(fields.title);
      },
    ),
    { numRuns: 800 },
  );
  expect(accepted).toBeGreaterThan(50);
});
