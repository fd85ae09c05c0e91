// Calendars, tables, JSON lines and texts, as other programs export them.
import { expect, test } from 'vitest';
import { mailOf, reading } from './import-readers.ts';

const zone = (id: string) =>
  `BEGIN:VTIMEZONE\r\nTZID:${id}\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n`;
const event = (uid: string, lines: string) => `BEGIN:VEVENT\r\nUID:${uid}\r\n${lines}END:VEVENT\r\n`;
const calendar = (body: string) => `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${body}END:VCALENDAR\r\n`;

test('a calendar becomes one record an event, with its overrides and the zones that it names', async () => {
  const { texts, ids, items } = await reading(
    'a.ics',
    calendar(
      zone('Europe/Berlin') +
        zone('America/Denver') +
        event('one', 'DTSTART;TZID=Europe/Berlin:20260303T100000\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:First\r\n') +
        event('two', 'DTSTART:20260304T100000Z\r\nSUMMARY:Second\r\n') +
        event(
          'one',
          'RECURRENCE-ID;TZID=Europe/Berlin:20260310T100000\r\nDTSTART;TZID=Europe/Berlin:20260310T110000\r\nSUMMARY:Moved\r\n',
        ),
    ),
  );
  expect(ids).toEqual(['event:one', 'event:two']);
  expect(texts[0]).toContain('SUMMARY:First');
  expect(texts[0]).toContain('SUMMARY:Moved');
  expect(texts[0]).toContain('TZID:Europe/Berlin');
  expect(texts[0]).not.toContain('America/Denver');
  expect(texts[1]).not.toContain('VTIMEZONE');
  for (const text of texts) {
    expect(text.startsWith('BEGIN:VCALENDAR\r\n')).toBe(true);
    expect(text.endsWith('END:VCALENDAR\r\n')).toBe(true);
  }
  expect(items[0]?.place).toBe('a.ics: line 19');
});

test('a folded UID, an alarm inside, LF line ends and tasks beside do not confuse a calendar', async () => {
  const { ids, texts } = await reading(
    'a.ics',
    calendar(
      'BEGIN:VTODO\r\nUID:task\r\nEND:VTODO\r\n' +
        'BEGIN:VEVENT\r\nUID:very\r\n long\r\nBEGIN:VALARM\r\nUID:inner\r\nEND:VALARM\r\nEND:VEVENT\r\n',
    ).replaceAll('\r\n', '\n'),
  );
  expect(ids).toEqual(['event:verylong']);
  expect(texts[0]).toContain('BEGIN:VALARM');
});

test('an event without an end is reported with its line, and the others are read', async () => {
  const { ids, problems } = await reading(
    'a.ics',
    `${calendar('BEGIN:VEVENT\r\nUID:cut\r\n')}${calendar(event('whole', ''))}`,
  );
  expect(ids).toEqual(['event:whole']);
  expect(problems).toEqual([{ place: 'a.ics: line 3', reason: 'VEVENT has no END' }]);
});

test.each([
  [
    'Google',
    'First Name,Middle Name,Last Name,Organization Name,Organization Title,Notes,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value\nSarah,,Chen,Lake Realty,Broker,Likes lofts,Work,Sarah@Example.com ::: s.chen@example.org,second@example.com,Mobile,+1 555 0100\n',
    {
      emails: ['sarah@example.com', 's.chen@example.org', 'second@example.com'],
      phones: ['+1 555 0100'],
      company: 'Lake Realty',
      jobTitle: 'Broker',
    },
  ],
  [
    'Outlook',
    '"First Name","Last Name","Company","Job Title","Business Phone","Mobile Phone","E-mail Address","E-mail 2 Address"\r\n"Sarah","Chen","Lake Realty","Broker","+1 555 0101","+1 555 0100","sarah@example.com",""\r\n',
    {
      emails: ['sarah@example.com'],
      phones: ['+1 555 0101', '+1 555 0100'],
      company: 'Lake Realty',
      jobTitle: 'Broker',
    },
  ],
  [
    'HubSpot',
    'Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Job Title\n101,Sarah,Chen,sarah@example.com,+1 555 0100,Ann,Lake Realty,Broker\n',
    { emails: ['sarah@example.com'], phones: ['+1 555 0100'], company: 'Lake Realty', jobTitle: 'Broker' },
  ],
])('contacts exported from %s are read by their column names', async (_, table, facts) => {
  const { values, items } = await reading('contacts.csv', table);
  expect(values).toHaveLength(1);
  expect(values[0]).toMatchObject({ title: 'Sarah Chen', facts: { name: 'Sarah Chen', ...facts } });
  expect(values[0]?.['people']).toContainEqual({
    address: 'sarah@example.com',
    name: 'Sarah Chen',
    role: 'contact',
  });
  expect(items[0]).toMatchObject({ record: { kind: 'contact' } });
});

test('a table of anything else becomes a note a row, with every value beside its column', async () => {
  const { values, items } = await reading(
    'visits.csv',
    'Date;Title;Price\n2026-03-01;Lake house;1,5\n2026-03-02;Loft;2\n',
  );
  expect(values[0]).toEqual({
    title: 'Lake house',
    text: 'Date: 2026-03-01\nTitle: Lake house\nPrice: 1,5',
    at: '2026-03-01',
  });
  expect(items[0]).toMatchObject({ record: { kind: 'note' } });
  expect(values).toHaveLength(2);
});

test('a bad row is reported with its line and costs no other, even where a quote is never closed', async () => {
  const { values, problems } = await reading(
    'a.csv',
    'Title,Text\nfirst,"two\nlines"\n"broken" here,x\nsecond,fine\na,b,c\nthird,"never closed\nfourth,fine\nfifth,fine\n',
  );
  expect(values.map((value) => value['title'])).toEqual([
    'first',
    '"broken" here',
    'second',
    'fourth',
    'fifth',
  ]);
  expect(values[0]?.['text']).toContain('two\nlines');
  expect(problems.map(({ place }) => place)).toEqual(['a.csv: line 6', 'a.csv: line 7']);
});

test('going on in the middle of a table keeps its columns and its line numbers', async () => {
  const table = 'Name,Email\nA,a@example.com\n"B",b@example.com\nC,c@example.com\n';
  const whole = await reading('a.csv', table);
  const rest = await reading('a.csv', table, whole.items[0]?.next);
  expect(rest.items).toEqual(whole.items.slice(1));
});

test('a BOM, Windows-1252, and UTF-16 are read as what they mean', async () => {
  const table = 'Name,Email\nJürgen Müller,j@example.com\n';
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(table, 'utf16le')]);
  for (const bytes of [Buffer.from(`\uFEFF${table}`), Buffer.from(table, 'latin1'), utf16, utf16.swap16()]) {
    const { values } = await reading('a.csv', bytes);
    expect(values[0]).toMatchObject({ title: 'Jürgen Müller', facts: { emails: ['j@example.com'] } });
  }
  const { texts } = await reading('a.txt', Buffer.from('Grüße', 'latin1'));
  expect(texts).toEqual(['Grüße']);
});

test('JSON lines keep what they say, and name their people', async () => {
  const { values, ids } = await reading(
    'a.jsonl',
    `${JSON.stringify({ id: 7, kind: 'transcript', title: 'Call', turns: [{ speaker: 'Ann', text: 'Hello' }], people: ['Ann <Ann@Example.com>', { name: 'Bob' }], thread: 't', at: 1_700_000_000_000, facts: { a: 1 } })}\n\n${JSON.stringify({ text: 'no id' })}\n`,
  );
  expect(values[0]).toEqual({
    title: 'Call',
    turns: [{ speaker: 'Ann', text: 'Hello' }],
    people: [
      { address: 'ann@example.com', name: 'Ann', role: 'speaker' },
      { name: 'Bob', role: 'speaker' },
    ],
    thread: 't',
    at: 1_700_000_000_000,
    facts: { a: 1 },
  });
  expect(ids[0]).toBe('transcript:7');
  expect(ids[1]).toMatch(/^note:[0-9a-f]{64}$/);
});

test('a bad JSON line is reported with its number and the field at fault', async () => {
  const { values, problems } = await reading(
    'a.jsonl',
    '{"text":"a"}\n{"text":\n{"kind":"poem","text":"x"}\n[]\n{"id":"x"}\n{"at":"soon","text":"x"}\n{"text":"b"}\n',
  );
  expect(values.map((value) => value['text'])).toEqual(['a', 'b']);
  expect(problems.map(({ place }) => place)).toEqual([2, 3, 4, 5, 6].map((line) => `a.jsonl: line ${line}`));
  expect(problems[1]?.reason).toContain('kind');
  expect(problems[4]?.reason).toContain('at');
});

test('a file is known by its path, its heading is its title, and a binary one is refused', async () => {
  const { items, ids } = await reading('plan.md', 'intro\n\n## The plan ##\n\ntext\n');
  expect(items[0]).toMatchObject({
    record: { kind: 'file', mediaType: 'text/markdown', title: 'The plan', writtenAt: 1_700_000_000_000 },
  });
  expect(ids[0]).toMatch(/^file:.*plan\.md$/);
  expect((await reading('a.txt', Buffer.from([1, 0, 2]))).problems[0]?.reason).toContain('not text');
  expect((await reading('a.eml', 'no header here')).problems).toHaveLength(1);
  expect((await reading('a.eml', mailOf(1, 'x'))).texts).toEqual([mailOf(1, 'x')]);
});
