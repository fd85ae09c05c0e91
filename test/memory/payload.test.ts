// Payloads as they are stored: packed, and given back as they came.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packPayload, payloadOf } from '../../src/memory/documents/payload.ts';
import { type Ground, ground, mail } from './ground.ts';

let g: Ground;
beforeEach(async () => {
  g = await ground();
});
afterEach(() => g.close());

test('a payload comes back byte for byte, whatever it and its text are', () => {
  const bytes = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(bytes, fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(40), (part, text, times) => {
      const raw = Buffer.concat([Buffer.from(text), ...Array.from({ length: times }, () => part)]);
      const packed = packPayload(raw, text);
      const row = {
        raw: packed?.bytes ?? raw,
        raw_coding: packed?.coding ?? 0,
        text: text.replaceAll('\0', '\uFFFD'),
      };
      expect(Buffer.compare(payloadOf(row), raw)).toBe(0);
    }),
  );
  const large = Buffer.alloc(300_000, 'A mail with a large attachment. ');
  const packed = packPayload(large, 'x');
  expect(packed?.bytes.length).toBeLessThan(3_000);
  expect(
    Buffer.compare(
      payloadOf({ raw: packed?.bytes ?? large, raw_coding: packed?.coding ?? 0, text: 'x' }),
      large,
    ),
  ).toBe(0);
});

test('a payload whose text was exchanged is an error, and never another payload', () => {
  const raw = Buffer.from('Dear all, the roof will be mended on Tuesday. '.repeat(3));
  const packed = packPayload(raw, 'Dear all, the roof will be mended on Tuesday.');
  expect(packed).toBeDefined();
  const row = {
    raw: packed?.bytes ?? raw,
    raw_coding: packed?.coding ?? 0,
    text: 'Dear all, the roof fell.',
  };
  expect(() => payloadOf(row)).toThrow();
});

test('mail is stored smaller than zlib alone makes it, and read back as it came', async () => {
  const body = Array.from(
    { length: 60 },
    (_, i) => `Sentence ${i * 7919} tells of invoice ${i * 104_729}.`,
  ).join(' ');
  const record = mail({ id: 'a@x', subject: 'Figures', body });
  await g.memory.ingest(g.org, g.source, { records: [record] });
  const [stored] = await g.org.read((db) =>
    db.selectFrom('source_documents').select(['id', 'raw', 'raw_coding']).execute(),
  );
  expect(stored?.raw_coding).toBe(1);
  expect(stored?.raw.length).toBeLessThan(deflateSync(record.raw).length / 2);
  expect(Buffer.compare((await g.memory.document(g.org, stored?.id ?? '')).raw, record.raw)).toBe(0);
});
