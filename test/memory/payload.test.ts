// Payloads as they are stored: packed, and given back as they came.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packText, packWords, textOf, unpackWords } from '../../src/memory/documents/packed.ts';
import { packPayload, payloadOf, unpack } from '../../src/memory/documents/payload.ts';
import { type Ground, ground, mail } from './ground.ts';

let g: Ground;
beforeEach(async () => {
  g = await ground();
});
afterEach(() => g.close());

const beside = (text: string) => ({ external_id: '<a@x>', title: 'Roof', people: '[]', facts: '{}', text });
/** As the database gives it back. */
const stored = (text: string) => Buffer.from(text.replaceAll('\0', '\uFFFD')).toString();

test('a payload comes back byte for byte and its facts as they were, whatever they and its text are', () => {
  const bytes = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(bytes, fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(40), (part, text, times) => {
      const raw = Buffer.concat([Buffer.from(text), ...Array.from({ length: times }, () => part)]);
      const facts = JSON.stringify({ said: text });
      const own = { external_id: text, title: text, people: JSON.stringify([text]), facts, text };
      const packed = packPayload(raw, own);
      const textPacked = packText(text, raw.length) ?? null;
      const row = {
        ...own,
        facts: packed?.withFacts === true ? '' : facts,
        external_id: stored(text),
        title: stored(text),
        raw: packed?.bytes ?? raw,
        raw_coding: packed?.coding ?? 0,
        text: textPacked === null ? stored(text) : '',
        text_packed: textPacked,
      };
      const back = unpack(row);
      expect(Buffer.compare(back.raw, raw)).toBe(0);
      expect(back.facts).toBe(facts);
    }),
  );
  const large = Buffer.alloc(300_000, 'A mail with a large attachment. ');
  const packed = packPayload(large, beside('x'));
  expect(packed?.bytes.length).toBeLessThan(3_000);
  expect(
    Buffer.compare(
      payloadOf({
        ...beside('x'),
        raw: packed?.bytes ?? large,
        raw_coding: packed?.coding ?? 0,
        text_packed: null,
      }),
      large,
    ),
  ).toBe(0);
});

test('a payload whose text was exchanged is an error, and never another payload', () => {
  const raw = Buffer.from('Dear all, the roof will be mended on Tuesday. '.repeat(3));
  const own = beside('Dear all, the roof will be mended on Tuesday.');
  const packed = packPayload(raw, own);
  expect(packed).toBeDefined();
  const row = { ...own, raw: packed?.bytes ?? raw, raw_coding: packed?.coding ?? 0, text_packed: null };
  expect(Buffer.compare(payloadOf(row), raw)).toBe(0);
  for (const other of [{ text: 'Dear all, the roof fell.' }, { title: 'Floor' }, { people: '[{}]' }])
    expect(() => payloadOf({ ...row, ...other })).toThrow();
});

test('mail is stored smaller than zlib alone makes it, and read back as it came', async () => {
  const body = Array.from(
    { length: 60 },
    (_, i) => `Sentence ${i * 7919} tells of invoice ${i * 104_729}.`,
  ).join(' ');
  const record = mail({ id: 'a@x', subject: 'Figures', body });
  await g.memory.ingest(g.org, g.source, { records: [record] });
  const [row] = await g.org.read((db) =>
    db.selectFrom('source_documents').select(['id', 'raw', 'raw_coding']).execute(),
  );
  expect(row?.raw_coding).toBe(4);
  expect(row?.raw.length).toBeLessThan(deflateSync(record.raw).length / 4);
  expect(Buffer.compare((await g.memory.document(g.org, row?.id ?? '')).raw, record.raw)).toBe(0);
});

test('facts stand with their payload alone, and a hash is shorter than its hex; both are read as they were given', async () => {
  const record = mail({ id: 'a@x', subject: 'Figures', body: 'The figures of March are below. '.repeat(4) });
  await g.memory.ingest(g.org, g.source, { records: [record] });
  const stored = () =>
    g.org.read((db) =>
      db.selectFrom('source_documents').select(['id', 'facts', 'content_hash']).executeTakeFirstOrThrow(),
    );
  const row = await stored();
  expect(row).toMatchObject({ facts: '', content_hash: expect.stringMatching(/^[\w-]{43}$/) });
  const document = await g.memory.document(g.org, row.id);
  expect(document.facts).toMatchObject({ messageId: '<a@x>' });
  expect(document.contentHash).toMatch(/^[0-9a-f]{64}$/);
  const again = () => g.memory.ingest(g.org, g.source, { records: [record] });
  expect(await again()).toMatchObject({ unchanged: 1, updated: 0 });
  // As an older program stored it.
  await g.org.write((tx) =>
    tx.updateTable('source_documents').set({ content_hash: document.contentHash }).execute(),
  );
  expect(await again()).toMatchObject({ unchanged: 1, updated: 0 });
});

test('a payload of an older program comes back', () => {
  const raw = Buffer.from('Subject: Roof\r\n\r\nDear all, the roof will be mended on Tuesday.');
  const text = 'Dear all, the roof will be mended on Tuesday.';
  const bytes = deflateSync(raw, { dictionary: Buffer.from(text) });
  const row = { ...beside(text), raw: bytes, raw_coding: 1, text_packed: null };
  expect(Buffer.compare(payloadOf(row), raw)).toBe(0);
});

test('a payload and facts of the program before this one come back', () => {
  const text = 'Dear all, the roof will be mended on Tuesday.';
  const raw = `From: Ann <ann@x>\r\nMessage-ID: <a@x>\r\nSubject: Roof\r\n\r\n${text}`;
  const facts = '{"messageId":"<a@x>"}';
  const bytes = Buffer.from('WKQif8j6gwSEY16egk1iXp5DhR1aUCWChRBBk5+fBnIESXYAABaGH9E=', 'base64');
  const row = { ...beside(text), facts, raw: bytes, raw_coding: 3, text_packed: null };
  expect(Buffer.from(payloadOf(row)).toString()).toBe(raw);
  expect(unpack(row).facts).toBe(facts);
  expect(() => unpack({ ...row, facts: '{}' })).toThrow();
});

test("a text, and a passage's terms, come back as the database would have given them", () => {
  const any = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(
      any,
      any,
      fc.array(fc.stringMatching(/^[^\n ]{1,12}$/u)),
      fc.nat(20),
      (text, title, terms, times) => {
        const long = text.repeat(times);
        const packed = packText(long, 0);
        if (packed !== undefined) expect(textOf({ text: '', text_packed: packed })).toBe(stored(long));
        const words = { header: terms.slice(0, 3).join(' '), body: terms.join(' ').repeat(3) };
        const written = { people: '[]', title, passage: long };
        const read = { people: '[]', title: stored(title), passage: stored(long) };
        const bytes = packWords(words, long, written);
        if (bytes === undefined) return;
        expect(unpackWords(bytes, read)).toEqual({ header: stored(words.header), body: stored(words.body) });
        expect(() => unpackWords(bytes, { ...read, passage: `${read.passage}.` })).toThrow();
      },
    ),
  );
});

test('a long text is left as it is, and so is one behind a long payload', () => {
  const text = 'The roof will be mended on Tuesday. '.repeat(20);
  expect(packText(text, 1_000)?.length).toBeLessThan(text.length / 4);
  expect(packText(text, 100_000)).toBeUndefined();
  expect(packText(text.repeat(200), 0)).toBeUndefined();
  const beside = { people: '[]', title: '', passage: text };
  const words = { header: 'mail roof', body: 'the roof will be mend on tuesday '.repeat(20) };
  expect(packWords(words, text, beside)?.length).toBeLessThan(200);
  expect(packWords(words, text.repeat(10), beside)).toBeUndefined();
});
