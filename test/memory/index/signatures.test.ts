// The first look at vectors: what the program that counts bits finds is what counting them one by one finds.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantise, Signatures } from '../../../src/memory/index/signatures.ts';
import { random } from './world.ts';

/** All that differ, least first and then in their order; cut, and put in the order of their places. */
function nearestOneByOne(
  vectors: readonly { place: number; vector: Int8Array }[],
  query: Float32Array,
  { count, passes }: { count: number; passes: Uint8Array },
): number[] {
  const wanted = [...query].slice(0, 512).map((value) => value > 0);
  const found = vectors
    .filter(({ place }) => passes[place] === 1)
    .map(({ place, vector }, index) => {
      let differing = 0;
      for (let d = 0; d < wanted.length; d += 1) if ((vector[d] ?? 0) > 0 !== wanted[d]) differing += 1;
      return { place, index, differing };
    })
    .sort((a, b) => a.differing - b.differing || a.index - b.index)
    .slice(0, count);
  return [...new Set(found.map(({ place }) => place))].sort((a, b) => a - b);
}

test('the nearest signatures are those that differ in fewest bits, the earlier ones of equal ones', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e9 }),
      fc.constantFrom(3, 40, 64, 96, 256, 384, 600),
      fc.integer({ min: 1, max: 1_300 }),
      fc.integer({ min: 1, max: 40 }),
      (seed, dimensions, total, count) => {
        const next = random(seed);
        const vectorOf = () => Float32Array.from({ length: dimensions }, () => next() - 0.5);
        const signatures = new Signatures(dimensions);
        const vectors: { place: number; vector: Int8Array }[] = [];
        let place = 0;
        for (let i = 0; i < total; i += 1) {
          place += next() < 0.7 ? 1 : 0;
          const vector = quantise(vectorOf());
          vectors.push({ place, vector });
          signatures.add({ place, vectors: vector });
        }
        const passes = Uint8Array.from({ length: place + 1 }, () => (next() < 0.8 ? 1 : 0));
        const query = vectorOf();
        expect(signatures.nearest(query, count, passes)).toEqual(
          nearestOneByOne(vectors, query, { count, passes }),
        );
      },
    ),
    { numRuns: 20 },
  );
});

test('the signatures of a place are found, and none where it has none', () => {
  const signatures = new Signatures(32);
  for (const place of [2, 2, 5]) signatures.add({ place, vectors: new Int8Array(32).fill(1) });
  const range = (place: number) => {
    const first = signatures.firstOf(place);
    return [first, signatures.endOf(first, place)];
  };
  expect(range(2)).toEqual([0, 2]);
  expect(range(5)).toEqual([2, 3]);
  for (const place of [-1, 3, 6]) expect(range(place)[0]).toBe(range(place)[1]);
});
