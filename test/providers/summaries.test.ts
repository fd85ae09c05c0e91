// What stands in lists and answers for a whole proposal: readable at a glance, true of every length.
import { expect, test } from 'vitest';
import { create } from '../../src/providers/caldav/create.ts';
import { calendarCreate, mailSend } from '../../src/providers/capabilities.ts';
import { send } from '../../src/providers/mailbox/send.ts';

const people = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ email: `p${index + 1}@x.test` }));

test('an event’s summary says day, time and rhythm in words', () => {
  const event = calendarCreate.parse({
    title: 'Open house',
    start: '2026-03-01T15:00:00',
    end: '2026-03-01T16:30:00',
    timeZone: 'Europe/Berlin',
    recurrence: 'FREQ=WEEKLY;BYDAY=SU;COUNT=4',
    attendees: people(2),
    reminders: [],
  });
  // Whether the weekday has a comma depends on the system's language data.
  expect(create.summary(event, 'Ann').replace('Sunday,', 'Sunday')).toBe(
    'Book in Ann: “Open house”, Sunday 1 March 2026 at 15:00 to 16:30 (Europe/Berlin), repeating every week, on Sunday, 4 times, inviting p1@x.test, p2@x.test',
  );
  // A rule that is not put into words stands as it is.
  const rare = { ...event, recurrence: 'FREQ=MONTHLY;BYDAY=2SU', attendees: people(30) };
  expect(create.summary(rare, 'Ann')).toContain(
    'repeating FREQ=MONTHLY;BYDAY=2SU, inviting p1@x.test and 29 others',
  );
});

test('a mail’s summary names few recipients, and counts many', () => {
  const mail = mailSend.parse({
    to: people(3),
    cc: [],
    bcc: [],
    subject: 'Hi',
    text: 'x',
    references: [],
    attachments: [],
  });
  expect(send.summary(mail, 'Ann')).toBe('Send from Ann to p1@x.test, p2@x.test, p3@x.test: “Hi”');
  expect(send.summary({ ...mail, to: people(28), bcc: people(2) }, 'Ann')).toBe(
    'Send from Ann to p1@x.test and 29 others (2 hidden): “Hi”',
  );
});
