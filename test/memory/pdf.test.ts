// PDF files by their pages; scans and encrypted ones are kept and say so; swollen or broken ones are refused.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { cutIntoChunks } from '../../src/memory/chunk/chunk.ts';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import { UnreadableRecord } from '../../src/memory/normalise/normalised.ts';
import { createReader } from '../../src/memory/reader.ts';
import { manualClock } from './ground.ts';
import { pdf, streamObject } from './pdf-files.ts';

const read = (raw: Uint8Array, fileName = 'loft-7.pdf') =>
  normalise({ externalId: 'x', kind: 'file', mediaType: 'application/pdf', raw, fileName });

test('a PDF is read page by page, words parted at a line’s end joined, gaps kept', async () => {
  const found = await read(
    pdf({
      pages: [
        [
          '# The Survey',
          '',
          'The beam under the roof is rot-',
          'ten and must go.',
          '',
          'Second (part) of it.',
        ],
        [],
        ['Page three has words.'],
      ],
      info: { Title: 'Microsoft Word - x.doc', Author: 'Anna Berg', ModDate: "D:20260302101500+01'00'" },
    }),
  );
  expect(found.text).toBe(
    'Page 1\n\nThe Survey\nThe beam under the roof is rotten and must go.\n\nSecond (part) of it.\n\nPage 3\n\nPage three has words.',
  );
  expect(found.title).toBe('The Survey (loft-7.pdf)');
  expect(found.writtenAt).toBe(Date.UTC(2026, 2, 2, 9, 15));
  expect(found.facts).toMatchObject({ author: 'Anna Berg', pages: 3, fileName: 'loft-7.pdf' });
});

test('the page of a passage is known: by its heading, and by where each page begins', async () => {
  const words = (page: number) =>
    Array.from({ length: 40 }, (_, i) => `Page ${page} line ${i} of the survey of the house.`);
  const found = await read(pdf({ pages: [words(1), words(2), words(3)] }));
  const starts = found.facts['pageStarts'] as [number, number][];
  expect(starts.map(([page]) => page)).toEqual([1, 2, 3]);
  for (const [page, start] of starts)
    expect(found.text.slice(start)).toMatch(new RegExp(`^Page ${page}\n`, 'u'));
  expect(new Set(cutIntoChunks(found).map((chunk) => chunk.heading))).toEqual(
    new Set(['Page 1', 'Page 2', 'Page 3']),
  );
});

test('the title that a file gives itself stands, where it is one', async () => {
  const title = async (own: string) =>
    (await read(pdf({ pages: [['# Big', 'small']], info: { Title: own } }))).title;
  expect(await title('Survey of the loft')).toBe('Survey of the loft (loft-7.pdf)');
  expect(await title('untitled')).toBe('Big (loft-7.pdf)');
  expect(await title('scan_0001.pdf')).toBe('Big (loft-7.pdf)');
});

test('a PDF of pictures is kept with its name, and says that it has no words', async () => {
  const found = await read(pdf({ pages: [[], []] }), 'scan.pdf');
  expect(found).toMatchObject({ title: 'scan.pdf', spans: [], facts: { pages: 2, unread: 'no text' } });
  expect(found.text).toMatch(/2 pages and no text/u);
  expect(cutIntoChunks(found)).toHaveLength(1);
});

test('a PDF with a password is kept with its name, and says so', async () => {
  const key = 'a'.repeat(64);
  const trailer = `/Encrypt << /Filter /Standard /V 1 /R 2 /O <${key}> /U <${key}> /P -4 >> /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`;
  const found = await read(pdf({ pages: [['words']], trailer }), 'secret.pdf');
  expect(found).toMatchObject({ title: 'secret.pdf', spans: [], facts: { unread: 'encrypted' } });
  expect(found.text).toMatch(/encrypted/u);
});

test('of ten thousand pages the first thousand are read, and the document says so', async () => {
  const found = await read(
    pdf({ pages: Array.from({ length: 10_000 }, (_, i) => [`Line of page ${i + 1}.`]) }),
  );
  expect(found.facts).toMatchObject({ pages: 10_000, pagesRead: 1000, cutShort: true });
  expect(found.text).toContain('Line of page 1000.');
  expect(found.text).not.toContain('Line of page 1001.');
});

test('a stream that inflates without bound is refused before the parser sees it', async () => {
  const bomb = deflateSync(Buffer.alloc(100 * 1024 * 1024));
  const swollen = pdf({ pages: [['x']], more: [streamObject('/Filter /FlateDecode', bomb)] });
  await expect(read(swollen)).rejects.toThrow(/inflates beyond 96 MiB/u);
  const twice = pdf({
    pages: [['x']],
    more: [streamObject('/Filter [ /FlateDecode /FlateDecode ]', deflateSync(bomb))],
  });
  await expect(read(twice)).rejects.toThrow(/compressed twice/u);
});

test('what is no PDF is refused with a reason', async () => {
  await expect(read(Buffer.from('hello'))).rejects.toThrow('is not a PDF');
  await expect(read(Buffer.from('%PDF-1.7\nnothing more'))).rejects.toBeInstanceOf(UnreadableRecord);
});

test('whatever is broken in a PDF, the worker lives on, and each is read or refused with a reason of its own', async () => {
  const good = Buffer.from(pdf({ pages: [['Hello'], ['there']] }));
  const damage = fc.record({
    cut: fc.double({ min: 0.01, max: 1, noNaN: true }),
    bytes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
  });
  const broken = fc.sample(damage, { numRuns: 120, seed: 11 }).map(({ cut, bytes }) => {
    const raw = Buffer.from(good.subarray(0, Math.ceil(good.length * (cut < 0.5 ? cut * 2 : 1))));
    for (const [at, value] of bytes) raw[at % raw.length] = value;
    return raw;
  });
  // Found among thousands: of each the parser leaves a promise behind that fails later, with nobody to wait for it.
  const found = [
    [805, 20, 566, 91, 143, 174, 582, 20, 993, 243, 367, 87, 262, 40],
    [524, 43, 663, 50, 313, 219, 154, 123, 711, 137, 566, 17, 275, 230, 247, 191],
    [585, 127, 632, 150, 254, 168, 581, 250, 631, 181, 412, 122],
    [443, 191, 247, 250, 216, 6, 242, 181, 463, 186, 270, 231],
  ];
  for (const edits of found) {
    const raw = Buffer.from(good);
    for (let i = 0; i < edits.length; i += 2) raw[edits[i] ?? 0] = edits[i + 1] ?? 0;
    broken.push(raw);
  }
  const warned: unknown[] = [];
  const log = createLog({ level: 'silent' });
  log.warn = (...said: unknown[]) => warned.push(said);
  const reader = createReader({ clock: manualClock(), log });
  const outcomes = await reader.read(
    broken.map((raw, i) => ({ externalId: `p${i}`, kind: 'file', mediaType: 'application/pdf', raw })),
  );
  const [last] = await reader.read([
    { externalId: 'x', kind: 'file', mediaType: 'application/pdf', raw: good },
  ]);
  await reader.close();
  expect(outcomes).toHaveLength(broken.length);
  expect(last).toMatchObject({ parsed: { text: 'Page 1\n\nHello\n\nPage 2\n\nthere' } });
  for (const outcome of outcomes) {
    if ('reason' in outcome) expect(outcome.reason).toMatch(/^(?:is not a PDF|holds a stream)/);
  }
  expect(warned).toEqual([]);
});
