// What is kept of each chunk is right, and little: a million of them stand in the memory of one process.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PostingsBuilder } from '../../../src/memory/index/builder.ts';
import { decodePostings } from '../../../src/memory/index/postings.ts';
import { Seqs } from '../../../src/memory/index/seqs.ts';
import { SixBytes } from '../../../src/memory/index/six-bytes.ts';
import { Slots } from '../../../src/memory/index/slots.ts';

test('numbers with gaps are found as in a list of them, while some are added and some forgotten', () => {
  const step = fc.oneof(
    fc.record({ add: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 100 }) }),
    fc.record({ truncate: fc.nat(300) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const seqs = new Seqs();
      const list: number[] = [];
      for (const one of steps) {
        if ('truncate' in one) {
          seqs.truncate(one.truncate);
          list.length = Math.min(list.length, one.truncate);
        } else
          for (const gap of one.add) {
            list.push((list.at(-1) ?? 0) + gap);
            seqs.add(list.at(-1) ?? 0);
          }
        expect(seqs.count).toBe(list.length);
        expect(list.map((_, slot) => seqs.at(slot))).toEqual(list);
        expect([seqs.at(-1), seqs.at(list.length)]).toEqual([0, 0]);
        for (let seq = 0; seq <= (list.at(-1) ?? 0) + 2; seq += 1)
          expect(seqs.upTo(seq)).toBe(list.filter((other) => other <= seq).length);
      }
    }),
    { numRuns: 50 },
  );
});

const plain = {
  first: true,
  headerLength: 5,
  bodyLength: 50,
  kind: 0,
  connection: 0,
  writtenAt: 1,
  thread: 0,
};

test('a number is what was put, in six bytes or, where one is too large for them, in eight', () => {
  const number = fc.oneof(
    fc.integer({ min: -1e13, max: 253_402_300_799_999 }),
    fc.constantFrom(0, -(2 ** 44), 2 ** 48 - 2 ** 44 - 1, 2 ** 48, -1e15, 0.5),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 30 }), (numbers) => {
      const kept = new SixBytes();
      for (const [i, value] of numbers.entries()) {
        kept.reserve(i + 1, i);
        kept.put(i, value);
      }
      expect(numbers.map((_, i) => kept.at(i))).toEqual(numbers);
    }),
  );
  const times = new SixBytes();
  times.reserve(1_000, 0);
  times.put(0, Date.UTC(9999, 11, 31));
  expect(times.byteLength).toBe(6_000);
});

test('a chunk takes at most 28 bytes of its org, its number included', () => {
  const slots = new Slots();
  slots.reserve(100_000);
  for (let seq = 1; seq <= 100_000; seq += 1) slots.add({ ...plain, seq });
  const arrays = Object.values(slots).filter(
    (value) => ArrayBuffer.isView(value) || value instanceof SixBytes,
  ) as { byteLength: number }[];
  const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytes / slots.alive.length).toBeLessThanOrEqual(28);
  expect(slots.find(77_777)).toBe(77_776);
});

test('a name keeps its number where there are more of them than a byte tells apart', () => {
  const slots = new Slots();
  const names = Array.from({ length: 300 }, (_, i) => `connection ${i}`);
  names.forEach((name, i) => {
    slots.add({ ...plain, seq: i + 1, connection: slots.connections.of(name) });
  });
  slots.reserve(10_000);
  names.forEach((name, i) => {
    expect([...slots.connections.known([name])]).toEqual([slots.connection[i]]);
  });
});

test('postings of loose chunks are those of the chunks that hold the term, in their order', () => {
  const word = fc.constantFrom('roof', 'offer', 'garden', 'key');
  const chunk = fc.record({
    header: fc.array(word, { maxLength: 4 }),
    body: fc.array(word, { maxLength: 400 }),
  });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 60 }), (chunks) => {
      const builder = new PostingsBuilder();
      for (const { header, body } of chunks)
        builder.add({ header: header.join(' '), body: body.join(' '), marks: [] });
      for (const term of ['roof', 'offer', 'garden', 'key', 'none']) {
        const times = (words: string[]) => Math.min(255, words.filter((one) => one === term).length);
        const held = chunks
          .map(({ header, body }, slot) => [slot, times(header), times(body)] as const)
          .filter(([, header, body]) => header + body > 0);
        expect(builder.count(term)).toBe(held.length);
        const list = builder.find(term);
        if (held.length === 0) {
          expect(list).toBeUndefined();
          continue;
        }
        const to = {
          slots: new Uint32Array(60),
          header: new Uint8Array(60),
          body: new Uint8Array(60),
          length: 0,
        };
        const bytes = list?.sink.bytes.subarray(0, list.sink.length) ?? new Uint8Array();
        decodePostings(bytes, { base: 0, alive: new Uint8Array(60).fill(1), to });
        const found = Array.from({ length: to.length }, (_, i) => [to.slots[i], to.header[i], to.body[i]]);
        expect(found).toEqual(held);
        expect([list?.count, list?.last]).toEqual([held.length, held.at(-1)?.[0]]);
      }
    }),
    { numRuns: 50 },
  );
});
