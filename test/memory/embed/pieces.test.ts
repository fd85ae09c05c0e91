// No text is longer than its model reads, nothing of it is lost, and long vectors are told apart by their signs.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from '../../../src/memory/embed/pieces.ts';
import { quantise, Signatures } from '../../../src/memory/index/signatures.ts';

/** Tokens at most: a third of a letter's, a half beyond ASCII, more where a letter is a word. */
const tokensOf = (text: string) =>
  [...text].reduce((sum, letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return sum + (code < 0x80 ? 1 / 3 : code < 0x530 ? 1 / 2 : 1.2);
  }, 0);

const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30 }),
  fc.constantFrom('Übergabe', '契約書の更新', 'x'.repeat(500), '🏠🏡', 'договор'),
);

test('pieces are within the limit, in order, and together the whole text', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 200 }), fc.integer({ min: 64, max: 300 }), (words, tokens) => {
      const text = words.join(' ');
      const pieces = piecesOf('Title', text, tokens);
      for (const piece of pieces) expect(tokensOf(piece)).toBeLessThanOrEqual(tokens);
      const bare = (some: string) => some.replace(/\s+/gu, '');
      expect(bare(pieces.join(''))).toBe(bare(`Title\n${text}`));
    }),
  );
});

test('a text that fits stays whole, and a longer one is cut between words', () => {
  expect(piecesOf('Offer', 'Three rooms.', 64)).toEqual(['Offer\nThree rooms.']);
  const pieces = piecesOf('', 'kitchen '.repeat(100), 64);
  expect(pieces.length).toBeGreaterThan(3);
  for (const piece of pieces) expect(piece).toMatch(/^kitchen( kitchen)*$/);
});

test.each([4, 384, 768, 1024, 1536, 3072])(
  'of vectors with %i numbers the nearest is found by signs',
  (dimensions) => {
    const signatures = new Signatures(dimensions);
    const vectorOf = (seed: number) =>
      Float32Array.from({ length: dimensions }, (_, d) => Math.sin((d + 1) * (seed + 1) * 1.7 + seed));
    const count = 40;
    for (let place = 0; place < count; place += 1)
      signatures.add({ place, vectors: quantise(vectorOf(place)) });
    const again = new Signatures(dimensions);
    again.append(signatures.encode(), 0);
    const passes = new Uint8Array(count).fill(1);
    const wanted = dimensions < 32 ? 12 : 1;
    for (const place of [0, 7, 39]) expect(again.nearest(vectorOf(place), wanted, passes)).toContain(place);
  },
);
