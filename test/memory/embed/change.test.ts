// A change of embedder: the new vectors are made beside the old ones, the old model answers until enough is covered,
// and the change can be undone.
import { describe, expect, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { createPostingsIndex } from '../../../src/memory/index/postings-index.ts';
import { vectorTables } from '../../../src/memory/index/vector-tables.ts';
import { databases } from '../../store/databases.ts';
import { answerJson, type EmbedWorld, embedWorld, fakeServer } from './world.ts';

const texts = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [
    `n${i}`,
    i === 3 ? 'A villa by the lake.' : i === 5 ? 'The truck is broken.' : `Remark number ${i} about weather.`,
  ]),
);
const openai = (url: string) => ({ kind: 'openai', url: `${url}/v1`, model: 'meaning-1', texts: 5 });

async function choose(world: EmbedWorld, settings: unknown): Promise<string> {
  const { org, owner, key, embedding } = world;
  return embedding.set(org, owner, { settings, key, channel: 'test' });
}
const states = async ({ embedding, org }: EmbedWorld) =>
  Object.fromEntries((await embedding.status(org)).map(({ name, state }) => [name.split('@')[0], state]));

async function vectorCount({ org }: EmbedWorld, like: string): Promise<number> {
  const rows = await org.read((db) =>
    Promise.all(
      vectorTables(org.dialect).map((table) =>
        db.selectFrom(table).select('seq').where('model', 'like', `${like}%`).execute(),
      ),
    ),
  );
  return rows.flat().length;
}

describe.each(databases)('on $name', (database) => {
  test('all that is stored is embedded beside the old vectors, then the new model answers by meaning', async () => {
    const server = await fakeServer();
    const world = await embedWorld({ database });
    await world.notes(texts);
    expect(await states(world)).toEqual({ 'static-en-256': 'current' });
    const name = await choose(world, openai(server.url));
    expect(name).toMatch(/^openai:meaning-1@4-[0-9a-f]{8}$/);
    await world.embedding.settled();
    expect(await states(world)).toEqual({ 'openai:meaning-1': 'current', 'static-en-256': 'ready' });
    expect(await vectorCount(world, 'openai:')).toBe(12);
    expect(await vectorCount(world, 'static-en')).toBeGreaterThan(0);
    expect((await world.found('dwelling'))[0]).toBe('n3');
    expect((await world.found('vehicle'))[0]).toBe('n5');
    expect(server.calls().slice(-2)).toEqual([['dwelling'], ['vehicle']]);
    // What comes later is embedded, too.
    await world.notes({ late: 'Our home is for sale.' });
    await world.embedding.settled();
    expect((await world.found('dwelling')).slice(0, 2).sort()).toEqual(['late', 'n3']);
    for (const call of server.calls()) expect(call.length).toBeLessThanOrEqual(5);
  });

  test('folded or loose, before or after it was embedded: the same passages are found', async () => {
    const server = await fakeServer();
    const world = await embedWorld({ database, foldSizes: { due: 4, most: 5, merged: 2 } });
    await world.notes(texts);
    await world.index.settled();
    await choose(world, openai(server.url));
    await world.embedding.settled();
    expect((await world.found('dwelling'))[0]).toBe('n3');
    const signed = await world.org.read((db) =>
      db.selectFrom('search_signatures').select('block').where('model', 'like', 'openai:%').execute(),
    );
    const blocks = await world.org.read((db) => db.selectFrom('search_blocks').select('id').execute());
    expect(signed.length).toBe(blocks.length);
    expect(blocks.length).toBeGreaterThan(1);
  });
});

// A real server keeps its own time, which no test moves.
describe.each(databases.filter(({ name }) => name !== 'PostgreSQL'))(
  'with time that moves, on $name',
  (database) => {
    test('what was folded while the model did not answer is found by words, and by meaning when it is back', async () => {
      const server = await fakeServer();
      const world = await embedWorld({ database, foldSizes: { due: 4, most: 5, merged: 2 } });
      await world.notes(texts);
      await choose(world, openai(server.url));
      await world.embedding.settled();
      server.instead = (_request, response) => answerJson(response, { error: 'down' }, 503);
      await world.notes({ m1: 'A house.', m2: 'Two.', m3: 'Three.', m4: 'Four.', m5: 'Five.' });
      await world.embedding.settled();
      await world.index.settled();
      server.instead = undefined;
      world.clock.advance(3_600_000);
      world.embedding.settle(world.org);
      await world.embedding.settled();
      expect((await world.found('dwelling')).slice(0, 2).sort()).toEqual(['m1', 'n3']);
    });
  },
);

test('what is folded after it was embedded is found by meaning before it has signatures', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(texts);
  await choose(world, openai(server.url));
  await world.embedding.settled();
  const folding = createPostingsIndex({
    clock: world.clock,
    log: createLog({ level: 'silent' }),
    foldSizes: { due: 4, most: 5, merged: 99 },
  });
  folding.settle(world.org, 100);
  await folding.settled();
  await folding.close();
  const { blocks, signed } = await world.org.read(async (db) => ({
    blocks: await db.selectFrom('search_blocks').select('id').execute(),
    signed: await db
      .selectFrom('search_signatures')
      .select('block')
      .where('model', 'like', 'openai:%')
      .execute(),
  }));
  expect([blocks.length > 1, signed.length]).toEqual([true, 0]);
  expect((await world.found('dwelling'))[0]).toBe('n3');
});

test('a vector that comes later than its passage, and later than a question, counts from then on', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ one: 'Rain.' });
  await choose(world, openai(server.url));
  await world.embedding.settled();
  server.instead = (_request, response, asked) =>
    asked.join().includes('villa') && answerJson(response, { error: 'later' }, 503);
  await world.notes({ two: 'A villa.' });
  await world.embedding.settled();
  expect(await world.found('dwelling')).not.toContain('two');
  server.instead = undefined;
  world.clock.advance(600_000);
  world.embedding.settle(world.org);
  await world.embedding.settled();
  expect((await world.found('dwelling'))[0]).toBe('two');
});

test('questions are asked of the old model until the new one has it all', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(texts);
  let calls = 0;
  server.instead = (_request, response) => {
    calls += 1;
    return calls > 2 && answerJson(response, { error: 'tired' }, 503);
  };
  const name = await choose(world, openai(server.url));
  await world.embedding.settled();
  const [own, building] = await world.embedding.status(world.org);
  expect(own).toMatchObject({ name: 'static-en-256@1', state: 'current' });
  expect(building).toMatchObject({ name, state: 'building', done: 0, total: 12 });
  expect(building?.error).toMatchObject({ code: 'provider_unavailable' });
  const before = server.calls().length;
  await world.found('dwelling');
  expect(server.calls().length).toBe(before);
  // Not before its time.
  world.embedding.settle(world.org);
  await world.embedding.settled();
  expect(server.calls().length).toBe(before);
  server.instead = undefined;
  world.clock.advance(600_000);
  world.embedding.settle(world.org);
  await world.embedding.settled();
  expect(await states(world)).toMatchObject({ 'openai:meaning-1': 'current' });
});

test('a change is undone at once, and undone again; the vectors go after 7 days, and then it cannot be', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  const { embedding, org, owner } = world;
  await world.notes(texts);
  const a = await choose(world, openai(server.url));
  await embedding.settled();
  const b = await choose(world, { ...openai(server.url), model: 'meaning-2' });
  await embedding.settled();
  expect(await states(world)).toMatchObject({ 'openai:meaning-1': 'former', 'openai:meaning-2': 'current' });
  expect(await embedding.undo(org, owner, 'test')).toBe(a);
  expect(await states(world)).toMatchObject({ 'openai:meaning-1': 'current', 'openai:meaning-2': 'former' });
  expect((await world.found('dwelling'))[0]).toBe('n3');
  expect(await embedding.undo(org, owner, 'test')).toBe(b);
  await embedding.settled();
  world.clock.advance(7 * 24 * 3_600_000 + 1);
  embedding.settle(org);
  await embedding.settled();
  expect(await states(world)).toEqual({ 'openai:meaning-2': 'current', 'static-en-256': 'ready' });
  expect(await vectorCount(world, 'openai:meaning-1')).toBe(0);
  expect(await vectorCount(world, 'openai:meaning-2')).toBe(12);
  await expect(embedding.undo(org, owner, 'test')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('were removed'),
  });
  // The built-in one is always there.
  expect(await embedding.set(org, owner, { settings: 'built-in', channel: 'test' })).toBe('static-en-256@1');
  expect(await states(world)).toMatchObject({ 'static-en-256': 'current', 'openai:meaning-2': 'former' });
  expect(await embedding.purge(org, owner, 'test')).toEqual([b]);
  await embedding.settled();
  expect(await states(world)).toEqual({ 'static-en-256': 'current' });
  expect(await vectorCount(world, 'openai:')).toBe(0);
});

test('what is being built is given up by undo, and leaves nothing', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(texts);
  let calls = 0;
  server.instead = (_request, response) => {
    calls += 1;
    return calls > 1 && answerJson(response, { error: 'slow down' }, 429, { 'retry-after': '3600' });
  };
  await choose(world, openai(server.url));
  await world.embedding.settled();
  expect(await world.embedding.undo(world.org, world.owner, 'test')).toBe('static-en-256@1');
  await world.embedding.settled();
  expect(await states(world)).toEqual({ 'static-en-256': 'current' });
  expect(await vectorCount(world, 'openai:')).toBe(0);
});

test('who chose, what was switched to and undone stands in the record', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ one: 'A villa.' });
  const name = await choose(world, openai(server.url));
  await world.embedding.settled();
  await world.embedding.undo(world.org, world.owner, 'test');
  const rows = await world.org.read((db) => db.selectFrom('audit_log').selectAll().orderBy('seq').execute());
  const entries = rows.map((row) => JSON.stringify(row));
  expect(entries.map((text) => /embedder\.[a-z]+/.exec(text)?.[0])).toEqual([
    'embedder.chosen',
    'embedder.switched',
    'embedder.undone',
  ]);
  expect(entries[0]).toContain(name);
  expect(entries.join()).not.toContain('sk-secret');
});

test('nobody but a person of the org chooses', async () => {
  const world = await embedWorld();
  const agent = { kind: 'agent', orgId: world.org.orgId, agentId: 'a', name: 'A', scopes: [] } as never;
  const other = { ...world.owner, orgId: 'org_other' };
  for (const who of [agent, other]) {
    await expect(
      world.embedding.set(world.org, who, { settings: 'built-in', channel: 'test' }),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(world.embedding.undo(world.org, who, 'test')).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(world.embedding.purge(world.org, who, 'test')).rejects.toMatchObject({
      code: 'permission_denied',
    });
  }
});

test('its key lies sealed, and is sealed anew with everything else when the keys change', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ one: 'A villa.' });
  await choose(world, openai(server.url));
  await world.embedding.settled();
  const row = () => world.org.read((db) => db.selectFrom('embedders').selectAll().executeTakeFirstOrThrow());
  const before = await row();
  expect(Buffer.from(before.sealed ?? []).toString('latin1')).not.toContain('secret');
  expect(before.settings).not.toContain('secret');
  const { resealed } = await world.vault.rotate(world.org, { newDataKey: true });
  expect(resealed).toBe(1);
  expect((await row()).key_id).not.toBe(before.key_id);
  const restarted = world.process();
  expect(await restarted.question(world.org, 'dwelling')).toHaveProperty('vector');
  expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer sk-secret-0123456789');
});
