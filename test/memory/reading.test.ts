// Reading everything else: events in their own time zone, conversations in whole turns, files by their
// headings; and a record that kills its worker takes no other with it.
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { cutIntoChunks, tokensIn } from '../../src/memory/chunk/chunk.ts';
import { detectLanguage } from '../../src/memory/language/detect.ts';
import { questionTerms } from '../../src/memory/language/question.ts';
import { readCalendar } from '../../src/memory/normalise/calendar.ts';
import { readStructured } from '../../src/memory/normalise/structured.ts';
import { readMarkdown } from '../../src/memory/normalise/text.ts';
import { createReader } from '../../src/memory/reader.ts';
import { json, manualClock } from './ground.ts';

const event = (...lines: string[]) =>
  readCalendar(
    Buffer.from(
      [
        'BEGIN:VCALENDAR',
        'VERSION:2.0',
        'BEGIN:VEVENT',
        'UID:u1',
        ...lines,
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\r\n'),
    ),
  );

describe('an event', () => {
  test('is said in words, at its own zone’s time', () => {
    const read = event(
      'SUMMARY:Viewing',
      'DTSTART;TZID=Europe/Berlin:20260706T100000',
      'DTEND;TZID=Europe/Berlin:20260706T110000',
      'LOCATION:12 Oak St',
      'ORGANIZER;CN=Anna Berg:mailto:Anna@Berg.test',
      'ATTENDEE;CN=Bob:mailto:bob@x.test',
      'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=5',
      'DESCRIPTION:Bring the keys.\\nSecond line.',
    );
    expect(read.text).toBe(
      [
        'Viewing',
        'When: Monday 6 July 2026, 10:00–11:00 (Europe/Berlin)',
        'Repeats: every 2 weeks on Monday, Friday 5 times',
        'Where: 12 Oak St',
        'Organiser: Anna Berg <anna@berg.test>',
        'Attendees: Bob <bob@x.test>',
        '',
        'Bring the keys.\nSecond line.',
      ].join('\n'),
    );
    expect(read.facts).toMatchObject({
      start: Date.UTC(2026, 6, 6, 8),
      end: Date.UTC(2026, 6, 6, 9),
      allDay: false,
    });
    expect(read.people.map((one) => one.role)).toEqual(['organiser', 'attendee']);
  });

  test('of whole days, in UTC, or with a duration is read too', () => {
    expect(event('SUMMARY:Fair', 'DTSTART;VALUE=DATE:20260706', 'DTEND;VALUE=DATE:20260708').text).toContain(
      'Monday 6 July 2026 to Tuesday 7 July 2026, all day',
    );
    const utc = event('SUMMARY:Call', 'DTSTART:20260706T100000Z', 'DURATION:PT30M');
    expect(utc.facts).toMatchObject({ start: Date.UTC(2026, 6, 6, 10), end: Date.UTC(2026, 6, 6, 10, 30) });
  });

  test('without a start, or that is no calendar, is refused with the reason', () => {
    expect(() => event('SUMMARY:x')).toThrow('DTSTART');
    expect(() => readCalendar(Buffer.from('hello'))).toThrow('calendar');
  });
});

test('a transcript is cut in whole turns of 350 to 500 tokens', () => {
  const turns = Array.from({ length: 60 }, (_, i) => ({
    speaker: i % 2 === 0 ? 'Anna' : 'Bob',
    text: `Turn ${i}. ${'We spoke about the roof and the price of it. '.repeat(4)}`,
  }));
  const read = readStructured(json('t', 'transcript', { turns }).raw, 'transcript');
  const chunks = cutIntoChunks(read);
  for (const [i, chunk] of chunks.entries()) {
    const passage = read.text.slice(chunk.start, chunk.end);
    expect(passage).toMatch(/^(?:Anna|Bob): Turn /u);
    expect(tokensIn(passage)).toBeLessThanOrEqual(500);
    if (i < chunks.length - 1) expect(tokensIn(passage)).toBeGreaterThanOrEqual(350);
  }
  expect(read.people).toEqual([
    { name: 'Anna', role: 'speaker' },
    { name: 'Bob', role: 'speaker' },
  ]);
});

test('a file is cut at its headings, each chunk under its own', () => {
  const words = 'The lease runs for ten years from today on. '.repeat(30);
  const read = readMarkdown(
    Buffer.from(
      `# Lease\n\n${words}\n\n## Rent\n\n${words}\n\n\`\`\`\n# no heading\n\`\`\`\n\n## Deposit\n\n${words}`,
    ),
  );
  const chunks = cutIntoChunks(read);
  expect(read.title).toBe('Lease');
  expect(chunks.map((chunk) => chunk.heading)).toEqual(['Lease', 'Lease › Rent', 'Lease › Deposit']);
});

test.each([
  ['en', 'What did the buyers say about the roof of the house?'],
  ['de', 'Was haben die Käufer über das Dach des Hauses gesagt?'],
  ['fr', "Qu'est-ce que les acheteurs ont dit sur le toit de la maison ?"],
  ['es', '¿Qué dijeron los compradores sobre el tejado de la casa?'],
  ['ja', '買い手は屋根について何と言いましたか'],
  ['zh', '买家对屋顶有什么看法'],
  ['ru', 'Что покупатели сказали о крыше дома?'],
  [undefined, 'Springfield 62704'],
])('the language of a text is told, or not guessed: %s', (language, text) => {
  expect(detectLanguage(text)).toBe(language);
});

test('a question is in a language of what it asks, unless most of its words say otherwise', () => {
  const asked = 'IL-6 signaling plays a major role in arthritis';
  expect(detectLanguage(asked)).toBe('it');
  expect(detectLanguage(asked, ['en'])).toBe('en');
  expect(questionTerms(asked, ['en'])).toEqual([
    'il',
    '6',
    'signal',
    'play',
    'major',
    'role',
    'arthriti',
    'il-6',
  ]);
  expect(detectLanguage('Was war in dem Vertrag vereinbart?', ['en'])).toBe('de');
});

describe('the parse workers', () => {
  const records = Array.from({ length: 12 }, (_, i) => json(`n${i}`, 'note', { text: `note ${i}` }));

  test('a record that ends its worker is rejected with a reason; the others of its batch are read', async () => {
    // A worker that is late is ended. Whenever the fourth record is handed to one, alone or among others, ten minutes
    // pass at once.
    let elapsed = 0;
    const sleepers = new Set<() => void>();
    const clock: Clock = {
      ...manualClock(),
      elapsed: () => elapsed,
      sleep: () =>
        new Promise((resolve) => {
          sleepers.add(resolve);
        }),
    };
    const slow = records.map((record, i) =>
      i !== 3
        ? record
        : {
            ...record,
            get kind() {
              elapsed += 600_000;
              for (const wake of sleepers) wake();
              return record.kind;
            },
          },
    );
    const reader = createReader({ clock, log: createLog({ level: 'silent' }) });
    const outcomes = await reader.read(slow);
    await reader.close();
    expect(outcomes.map((one) => ('parsed' in one ? one.parsed.externalId : 'rejected'))).toEqual(
      records.map((record, i) => (i === 3 ? 'rejected' : record.externalId)),
    );
    expect(outcomes[3]).toMatchObject({ externalId: 'n3', reason: expect.stringContaining('no answer') });
  });

  test('a record that makes reading throw is rejected, and the worker lives on', async () => {
    const reader = createReader({ clock: manualClock(), log: createLog({ level: 'silent' }) });
    const broken = { ...json('broken', 'note', {}), raw: 5 as unknown as Uint8Array };
    const outcomes = await reader.read([broken, ...records]);
    await reader.close();
    expect(outcomes.filter((one) => 'parsed' in one)).toHaveLength(12);
    expect(outcomes[0]).toMatchObject({ externalId: 'broken' });
  });
});
