// The built-in embedder gives the vectors that it was published with, whatever machine it runs on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { passagesOf } from '../../../src/memory/embed/passages.ts';
import {
  loadStaticEn,
  type StaticModel,
  staticEn,
  staticEnName,
} from '../../../src/memory/embed/static-en.ts';
import { terms } from '../../../src/memory/language/terms.ts';
import { readBodies } from '../../../src/memory/rank/reading.ts';

const published = JSON.parse(readFileSync(join(import.meta.dirname, 'static-en-vectors.json'), 'utf8')) as {
  vectors: { text: string; first8: number[] }[];
  cosines: { a: string; b: string; cos: number }[];
};
let model: StaticModel;
beforeAll(async () => {
  model = await loadStaticEn();
});

const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

test.each(published.vectors)('the vector of "$text" is the published one', ({ text, first8 }) => {
  const vector = model.passages([text]);
  expect(vector).toHaveLength(256);
  first8.forEach((value, i) => {
    expect(vector[i]).toBeCloseTo(value, 3);
    expect(Math.abs((vector[i] ?? 0) - value)).toBeLessThan(2e-4);
  });
});

test.each(published.cosines)('"$a" and "$b" are as near as published', ({ a, b, cos }) => {
  expect(Math.abs(cosine(model.passages([a]), model.passages([b])) - cos)).toBeLessThan(2e-3);
});

test('many texts in one call are the same vectors as each alone, and every vector has length one', () => {
  const texts = published.vectors.map(({ text }) => text);
  const together = model.passages(texts);
  texts.forEach((text, i) => {
    const row = together.subarray(i * 256, (i + 1) * 256);
    expect([...row]).toEqual([...model.passages([text])]);
    const length = cosine(row, row);
    if (length > 0) expect(length).toBeCloseTo(1, 5);
  });
});

test('a question of words that the model does not know has no vector', () => {
  expect(model.question('xqzzt Кирилл 日本語')).toBeUndefined();
  expect(model.question('')).toBeUndefined();
});

test('a word that the collection holds everywhere counts for less in a question', () => {
  const weighed = model.question('heating of the tenant', (word) => (word === 'heating' ? 1 : 0.1));
  const heating = model.passages(['heating']);
  expect(weighed).toBeDefined();
  expect(cosine(weighed ?? heating, heating)).toBeGreaterThan(
    cosine(model.question('heating of the tenant') ?? heating, heating),
  );
});

test('as an embedder it carries its name with its version, and stops where it is told to', async () => {
  expect(staticEn.name).toBe(staticEnName);
  expect(staticEn.dimensions).toBe(256);
  const two = await staticEn.embed(['rent', 'lease'], 'passage');
  expect(two).toHaveLength(512);
  expect([...two]).toEqual([...model.passages(['rent', 'lease'])]);
  await expect(staticEn.embed(['rent'], 'question', AbortSignal.abort())).rejects.toThrow();
});

test('a passage known by its terms is judged by what it says beside the words of the question', () => {
  const question = model.question('the heating is broken') ?? new Float32Array(256);
  const passages = [
    'The broken glass in the entrance was swept up on Sunday.',
    'Tenant in 4B says the boiler stopped working and the radiators stay cold.',
    'broken heating',
    '',
  ].map((text) => terms(text, ['en']));
  const { passages: numbered, terms: known } = readBodies(passages);
  const asked = new Set(terms('heating broken', ['en']));
  const [chance, meant, same, nothing] = model.contexts(question, numbered, known, asked);
  expect(meant).toBeGreaterThan(2 * Math.max(0, chance ?? 1));
  expect([same, nothing]).toEqual([0, 0]);
  const [withOwnWords] = model.contexts(question, numbered.slice(2, 3), known, new Set());
  expect(withOwnWords).toBeGreaterThan(0.95);
});

test('a long text is embedded in passages of about a hundred words, none lost and no short rest alone', () => {
  const words = Array.from({ length: 320 }, (_, i) => `word${i}`);
  const passages = passagesOf('Title', words.join(' '));
  expect(passages.map((passage) => passage.split(' ').length)).toEqual([100, 100, 121]);
  expect(passages.join(' ')).toBe(`Title ${words.join(' ')}`);
  expect(passagesOf('', 'short')).toEqual(['short']);
});
