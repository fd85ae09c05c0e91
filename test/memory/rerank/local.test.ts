// A cross-encoder from a folder, run by transformers.js where the user installed it: as with local embedders, this suite
// runs where it can be found (TRANSFORMERS_HOME names the folder above its node_modules).
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeTinyModel } from '../embed/tiny-model.ts';
import { type EmbedWorld, embedWorld } from '../embed/world.ts';

const libraries = process.env['TRANSFORMERS_HOME'] ?? join(import.meta.dirname, '../../..');

function isThere(): boolean {
  try {
    createRequire(join(libraries, 'package.json')).resolve('@huggingface/transformers');
    return true;
  } catch {
    return false;
  }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'drawbridge-model-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function model(labels = 1): Promise<string> {
  const path = join(await folder(), 'tiny');
  const weigh = (weight: number) => Array.from({ length: labels }, () => weight);
  const words = { garden: weigh(3), dark: weigh(-2), house: weigh(1) };
  await writeTinyModel(path, words, { reranker: true });
  return path;
}

const choose = (world: EmbedWorld, path: string) =>
  world.reranking.set(world.org, world.owner, {
    settings: { kind: 'local', folder: path, model: 'tiny' },
    channel: 'test',
  });

test('where the library is not installed, the refusal says how, and nothing is chosen', async () => {
  const world = await embedWorld({ libraries: await folder() });
  const path = await model();
  if (isThere() && process.env['TRANSFORMERS_HOME'] === undefined) return;
  await expect(choose(world, path)).rejects.toMatchObject({
    code: 'invalid_request',
    retry: 'ask',
    message: expect.stringContaining('npm install --ignore-scripts --prefix'),
  });
  expect(await world.reranking.chosen(world.org)).toBeUndefined();
});

describe.skipIf(!isThere())('with transformers.js', () => {
  test('a model from a folder reads question and passages, of any length and number, and orders them', async () => {
    const world = await embedWorld({ libraries });
    await choose(world, await model());
    const chosen = await world.reranking.chosen(world.org);
    expect(chosen).toMatchObject({ name: 'local:tiny', host: undefined });
    const dark = Array.from({ length: 12 }, (_, i) => [
      `d${i}`,
      `The house is dark.${' So dark.'.repeat(i)}`,
    ]);
    await world.notes({
      ...Object.fromEntries(dark),
      g: 'The house, of all of them the last, has a garden.',
    });
    const { passages, unreranked } = await world.memory.search(world.org, { question: 'house', limit: 20 });
    expect(unreranked).toBeUndefined();
    expect(passages.map(({ title }) => title)).toEqual(['g', ...dark.map(([title]) => title)]);
    // What the words weigh, of the question and of each passage.
    if (chosen === undefined) throw new Error('None was chosen.');
    const texts = ['A garden.', 'A dark, dark house.'].map((text, seq) => ({ seq, text }));
    const found = await world.reranking.scores(world.org, chosen, 'house garden', texts);
    expect('scores' in found && [...found.scores.values()]).toEqual([7, 1]);
  });

  test('a model that is none, or is not there, is refused with the reason', async () => {
    const world = await embedWorld({ libraries });
    await expect(choose(world, await model(2))).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('it gives 2 numbers a passage'),
    });
    await expect(choose(world, join(await folder(), 'nowhere'))).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('cannot be used'),
    });
  });
});
