// Files of one document each, and cards, as an import meets them: read in the worker, found by their words,
// and a broken one costs no other.
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { importPaths } from '../../src/jobs/import/import-paths.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { coreProperties, docx, paragraph, pptx, xlsx } from '../memory/office-files.ts';
import { pdf } from '../memory/pdf-files.ts';
import { reading } from './import-readers.ts';

let folder: string;
let rooms: Rooms;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-import-files-'));
  await mkdir(join(folder, 'in'));
  rooms = await openRooms(
    loadConfig({ DRAWBRIDGE_HOME: join(folder, 'home'), DRAWBRIDGE_LOG_LEVEL: 'silent' }),
  );
});

afterEach(async () => {
  await rooms.close();
  await rm(folder, { recursive: true });
});

const inside = (name: string) => join(folder, 'in', name);
const run = () => importPaths({ ...rooms, paths: [inside('')] });
const found = async (question: string) => {
  const { passages } = await rooms.memory.search(rooms.org, { question, limit: 5 });
  return passages[0];
};

const card = (name: string, address: string) =>
  `BEGIN:VCARD\r\nVERSION:3.0\r\nFN:${name}\r\nEMAIL:${address}\r\nNOTE:Asked about the boathouse\r\nEND:VCARD\r\n`;

test('a folder of every kind of file is found by what stands in each', async () => {
  await writeFile(inside('contract.docx'), docx(paragraph('The penalty clause is nine percent.')));
  const row = (...values: string[]) =>
    `<row>${values.map((value) => `<c t="inlineStr"><is><t>${value}</t></is></c>`).join('')}</row>`;
  await writeFile(
    inside('offers.xlsx'),
    xlsx([{ name: 'Offers', rows: row('Bidder', 'Status') + row('Ostrander', 'withdrawn') }]),
  );
  await writeFile(inside('pitch.pptx'), pptx([{ title: 'Why us', notes: 'Mention the marina permit.' }]));
  await writeFile(inside('survey.pdf'), pdf({ pages: [['nothing'], ['The chimney is cracked.']] }));
  await writeFile(
    inside('page.html'),
    '<title>Notice</title><h1>Zoning</h1><p>Hearing about the viaduct.</p>',
  );
  await writeFile(inside('people.vcf'), card('Sarah Chen', 'Sarah@x.test') + card('Bob Lee', 'bob@x.test'));
  await writeFile(
    inside('call.vtt'),
    'WEBVTT\n\n00:12:03.000 --> 00:12:06.000\n<v Anna Berg>The greenhouse stays.\n',
  );
  await writeFile(
    inside('meeting.txt'),
    '[00:00:01] Anna: The orchard is sold.\n[00:00:05] Bob: When?\n[00:00:07] Anna: On Monday.\n[00:00:09] Bob: Good.\n',
  );
  expect(await run()).toMatchObject({ seen: 9, inserted: 9, rejectedTotal: 0, skipped: [] });

  expect(await found('penalty clause')).toMatchObject({ kind: 'file', title: 'contract.docx' });
  expect((await found('Ostrander'))?.text).toContain('Bidder: Ostrander | Status: withdrawn');
  expect(await found('marina permit')).toMatchObject({ title: 'Why us (pitch.pptx)' });
  expect((await found('cracked chimney'))?.text).toContain('Page 2');
  expect(await found('viaduct hearing')).toMatchObject({ title: 'Notice (page.html)' });
  expect(await found('Sarah boathouse')).toMatchObject({
    kind: 'contact',
    title: 'Sarah Chen',
    people: [{ address: 'sarah@x.test', name: 'Sarah Chen', role: 'contact' }],
  });
  expect(await found('greenhouse')).toMatchObject({
    kind: 'transcript',
    text: '[00:12:03] Anna Berg: The greenhouse stays.',
    people: [{ name: 'Anna Berg', role: 'speaker' }],
  });
  expect(await found('orchard sold')).toMatchObject({ kind: 'transcript', title: 'meeting.txt' });
  // Both addresses of the cards are clients now.
  expect(
    (await rooms.memory.clients(rooms.org, { words: 'Sarah', limit: 5 })).map(({ emails }) => emails),
  ).toEqual([['sarah@x.test']]);
  // Nothing changed: nothing is stored again.
  expect(await run()).toMatchObject({ seen: 9, inserted: 0, updated: 0, unchanged: 9 });
});

test('a file’s time is the one that it gives itself, and else the disk’s', async () => {
  const facts = { 'docProps/core.xml': coreProperties('Lease', 'Anna', '2020-03-02T10:00:00Z') };
  await writeFile(inside('a.docx'), docx(paragraph('penalty'), facts));
  await writeFile(inside('b.docx'), docx(paragraph('chimney')));
  await utimes(inside('b.docx'), 1_600_000_000, 1_600_000_000);
  await run();
  expect(await found('penalty')).toMatchObject({
    writtenAt: Date.UTC(2020, 2, 2, 10),
    title: 'Lease (a.docx)',
  });
  expect(await found('chimney')).toMatchObject({ writtenAt: 1_600_000_000_000 });
});

test('a broken file is reported with its place and its reason, and the others are read', async () => {
  await writeFile(inside('a.docx'), 'not a zip');
  await writeFile(inside('b.pdf'), '');
  await writeFile(inside('c.vcf'), `${card('Sarah Chen', 's@x.test')}BEGIN:VCARD\r\nVERSION:3.0\r\nFN:cut`);
  await writeFile(inside('d.vtt'), 'WEBVTT\n\nno cue');
  await writeFile(inside('e.html'), '<p>fine');
  const result = await run();
  expect(result).toMatchObject({ inserted: 2, rejectedTotal: 4 });
  expect(result.rejected.map(({ place, reason }) => [place.slice(inside('').length + 1), reason])).toEqual(
    expect.arrayContaining([
      ['a.docx', expect.stringContaining('no Office file')],
      ['b.pdf', 'empty'],
      ['c.vcf: line 7', 'VCARD has no END'],
      ['d.vtt', 'has no cue with a time in it'],
    ]),
  );
});

test('random bytes under any name never end an import: each file is read or reported', async () => {
  const endings = [
    'pdf',
    'docx',
    'xlsx',
    'pptx',
    'html',
    'vcf',
    'vtt',
    'srt',
    'txt',
    'md',
    'eml',
    'ics',
    'csv',
    'jsonl',
    'mbox',
  ];
  const heads = [
    '',
    '%PDF-1.7\n',
    'PK\u0003\u0004',
    'BEGIN:VCARD\r\n',
    'WEBVTT\n\n00:01 --> 00:02\n',
    '<html>',
    'From a@b c\n',
  ];
  const file = fc.tuple(
    fc.constantFrom(...endings),
    fc.constantFrom(...heads),
    fc.uint8Array({ maxLength: 400 }),
  );
  const files = fc.sample(file, { numRuns: 150, seed: 7 });
  for (const [i, [ending, head, bytes]] of files.entries()) {
    await writeFile(inside(`f${i}.${ending}`), Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
  }
  const result = await run();
  expect(result.stopped).toBe(false);
  const stored = (await rooms.memory.stats(rooms.org)).documents;
  expect(stored).toBeGreaterThan(0);
  // Every one of them is spoken of: stored, or reported.
  for (const { reason } of result.rejected) expect(reason).not.toMatch(/worker|no answer/u);
  expect(result.seen).toBe(result.inserted + result.updated + result.unchanged + result.rejectedTotal);
});

test('a card is known by its UID, else by its address and name; pictures are not kept', async () => {
  const cards = [
    'BEGIN:VCARD\nVERSION:3.0\nUID:one\nFN:A\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\n BBBB\n CCCC\nTEL:1\nEND:VCARD\n',
    'BEGIN:VCARD\nVERSION:3.0\nFN:B\nEMAIL;TYPE=WORK:B@x.test\nEND:VCARD\n',
    'BEGIN:VCARD\nVERSION:3.0\nFN:B\nEMAIL:b@x.test\nTEL:2\nEND:VCARD\n',
    'BEGIN:VCARD\nVERSION:3.0\nTEL:3\nEND:VCARD\n',
  ];
  const whole = await reading('a.vcf', `\uFEFF${cards.join('\n')}`);
  expect(whole.ids).toEqual([
    'card:one',
    'card:b@x.test:b',
    expect.stringMatching(/^card:[0-9a-f]{64}$/),
    expect.stringMatching(/^card:[0-9a-f]{64}$/),
  ]);
  expect(whole.texts[0]).not.toContain('BBBB');
  expect(whole.texts[0]).toContain('TEL:1');
  expect(whole.items.map((item) => item.place)).toEqual([1, 11, 17, 24].map((line) => `a.vcf: line ${line}`));
  // Going on behind the second keeps ids and places.
  const rest = await reading('a.vcf', `\uFEFF${cards.join('\n')}`, whole.items[1]?.next);
  expect(rest.items).toEqual(whole.items.slice(2));
});
