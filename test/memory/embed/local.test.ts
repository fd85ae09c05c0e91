// A model from a folder, run by transformers.js where the user installed it: this suite runs where it can be found
// (TRANSFORMERS_HOME names the folder above its node_modules), and says that it did not elsewhere.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeTinyModel } from './tiny-model.ts';
import { type EmbedWorld, embedWorld } from './world.ts';

const libraries = process.env['TRANSFORMERS_HOME'] ?? join(import.meta.dirname, '../../..');

function isThere(): boolean {
  try {
    createRequire(join(libraries, 'package.json')).resolve('@huggingface/transformers');
    return true;
  } catch {
    return false;
  }
}

const words = {
  villa: [1, 0, 0, 0],
  dwelling: [1, 0, 0, 0],
  truck: [0, 1, 0, 0],
  vehicle: [0, 1, 0, 0],
  rain: [0, 0, 1, 0],
};

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'drawbridge-model-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function model(): Promise<string> {
  const path = join(await folder(), 'tiny');
  await writeTinyModel(path, words);
  return path;
}

const choose = (world: EmbedWorld, path: string, more: object = {}) =>
  world.embedding.set(world.org, world.owner, {
    settings: { kind: 'local', folder: path, model: 'tiny', ...more },
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
  expect((await world.embedding.status(world.org)).map(({ state }) => state)).toEqual(['current']);
});

describe.skipIf(!isThere())('with transformers.js', () => {
  test('a model from a folder embeds what is stored, and answers by meaning', async () => {
    const world = await embedWorld({ libraries });
    await world.notes({ a: 'A villa.', b: 'The truck.', c: 'Rain.' });
    const name = await choose(world, await model());
    expect(name).toMatch(/^local:tiny@4-[0-9a-f]{8}$/);
    await world.embedding.settled();
    expect((await world.embedding.status(world.org))[0]).toMatchObject({ name, state: 'current', done: 3 });
    expect((await world.found('dwelling'))[0]).toBe('a');
    expect((await world.found('vehicle'))[0]).toBe('b');
  });

  test('what is missing in the folder is not fetched from anywhere', async () => {
    const world = await embedWorld({ libraries });
    const path = await model();
    await expect(choose(world, path, { precision: 'q8' })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('cannot be used'),
    });
    await rm(join(path, 'tokenizer.json'));
    await expect(choose(world, path)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(choose(world, join(path, 'nowhere'))).rejects.toMatchObject({
      message: expect.stringContaining('is not there'),
    });
  });

  test('files that were changed are another model, and their vectors are not mixed', async () => {
    const world = await embedWorld({ libraries });
    await world.notes({ a: 'A villa.' });
    const path = await model();
    await choose(world, path);
    await world.embedding.settled();
    await writeFile(join(path, 'config.json'), '{"model_type":"bert","hidden_size":4,"x":1}');
    const restarted = world.process();
    expect(await restarted.question(world.org, 'dwelling')).toMatchObject({
      unavailable: expect.stringContaining('conflict'),
    });
  });
});
