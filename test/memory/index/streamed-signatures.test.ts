// Beyond a bound the signatures of stored blocks are read for each question, and not kept: it is as if they were.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Places } from '../../../src/memory/index/places.ts';
import { quantise, Signatures } from '../../../src/memory/index/signatures.ts';
import { random } from './world.ts';

const dimensions = 96;
const signatureBytes = 12;

/** Blocks of signatures, each as it is stored, with the place at which it begins. */
function blocksOf(next: () => number, blocks: number) {
  let base = 0;
  return Array.from({ length: blocks }, () => {
    const signatures = new Signatures(dimensions);
    let place = 0;
    for (let i = 0; i < 40; i += 1) {
      place += next() < 0.7 ? 1 : 0;
      const vectors = quantise(Float32Array.from({ length: dimensions }, () => next() - 0.5));
      signatures.add({ place, vectors });
    }
    const block = { base, bits: signatures.encode(), slots: place + 2 };
    base += block.slots;
    return block;
  });
}

/** Both ways to keep the same: all in memory, and no more than `most` bytes. */
function bothOf(next: () => number, most: number, count = 12) {
  const blocks = blocksOf(next, count);
  const places = blocks.reduce((sum, { slots }) => sum + slots, 0);
  const all = new Signatures(dimensions);
  const some = new Signatures(dimensions, most);
  blocks.forEach(({ base, bits }, i) => {
    all.append(bits, base);
    some.append(bits, base, i);
  });
  const read: number[] = [];
  const stored = (block: number) => {
    read.push(block);
    return (blocks[block]?.bits ?? new Uint8Array()).slice();
  };
  return { blocks, places, all, some, read, stored };
}

test('no more bytes of stored signatures stand in memory than the bound says', () => {
  const most = 100 * signatureBytes;
  const { all, some } = bothOf(random(1), most);
  expect(all.heldBytes).toBe(12 * 40 * signatureBytes);
  expect(some.heldBytes).toBe(80 * signatureBytes);
  expect(some.count).toBe(all.count);
});

test('what is nearest is the same, read for the question or kept, whatever was forgotten and came again', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.nat(500), fc.integer({ min: 1, max: 30 }), (seed, held, count) => {
      const next = random(seed);
      const { blocks, places, all, some, stored } = bothOf(next, held * signatureBytes);
      const query = Float32Array.from({ length: dimensions }, () => next() - 0.5);
      const passes = Uint8Array.from({ length: places + 50 }, () => (next() < 0.7 ? 1 : 0));
      expect(some.nearest(query, count, passes, stored)).toEqual(all.nearest(query, count, passes));
      const kept = Math.floor(next() * blocks.length);
      for (const one of [all, some]) {
        one.truncate(blocks[kept]?.base ?? 0);
        for (const [i, { base, bits }] of blocks.entries()) if (i >= kept) one.append(bits, base, i);
      }
      // And what no block holds yet.
      const vectors = quantise(Float32Array.from({ length: dimensions }, () => next() - 0.5));
      for (const one of [all, some]) one.add({ place: places + 3, vectors });
      expect(some.nearest(query, count, passes, stored)).toEqual(all.nearest(query, count, passes));
      for (let place = -1; place < places + 5; place += 1) {
        expect(some.firstOf(place)).toBe(all.firstOf(place));
        expect(some.endOf(0, place)).toBe(all.endOf(0, place));
      }
    }),
    { numRuns: 30 },
  );
});

test('a block of which nothing is asked for is not read', () => {
  const { blocks, places, some, read, stored } = bothOf(random(5), 0);
  const passes = new Uint8Array(places);
  passes[blocks[7]?.base ?? 0] = 1;
  some.nearest(new Float32Array(dimensions).fill(1), 10, passes, stored);
  expect(read).toEqual([7]);
});

test('whose signatures are whose is told as a list of them tells it', () => {
  const step = fc.oneof(
    fc.record({ add: fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300 }))) }),
    fc.record({ truncate: fc.nat(200) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
      const places = new Places();
      let list: number[] = [];
      let last = -1;
      for (const one of steps) {
        if ('truncate' in one) {
          places.truncate(one.truncate);
          list = list.filter((place) => place < one.truncate);
          last = Math.min(last, one.truncate - 1);
        } else
          for (const [gap, times] of one.add) {
            last += gap;
            for (let i = 0; i < times; i += 1) {
              places.add(last);
              list.push(last);
            }
          }
        expect(places.count).toBe(list.length);
        expect(list.map((_, i) => places.placeOf(i))).toEqual(list);
        expect(list.map((_, i) => places.placeOf(list.length - 1 - i))).toEqual(list.toReversed());
        for (const place of [-1, 0, last >> 1, last, last + 1]) {
          const first = list.findIndex((other) => other >= place);
          expect(places.firstOf(place)).toBe(first < 0 ? list.length : first);
          expect(places.of(place)).toBe(list.filter((other) => other === place).length);
        }
      }
    }),
    { numRuns: 20 },
  );
});
