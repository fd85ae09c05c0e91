// Who chooses a reranker, and where the choice and its key are kept.
import { expect, test } from 'vitest';
import { dropSpentDataKeys } from '../../../src/auth/data-keys.ts';
import { settingText } from '../../../src/store/settings.ts';
import { databases } from '../../store/databases.ts';
import { embedWorld } from '../embed/world.ts';
import { choose, cohere, gradingServer, houses, question } from './server.ts';

test.each(databases)(
  '$name: the key is kept sealed, and outlives the keys that it was sealed under',
  async (database) => {
    const server = await gradingServer();
    const world = await embedWorld({ database });
    await choose(world, cohere(server.url));
    const before = await settingText(world.org, 'reranker');
    expect(before).toContain('rerank-1');
    expect(before).not.toContain('sk-secret');
    expect(before).not.toContain(Buffer.from('sk-secret').toString('base64').slice(0, 11));
    // A retired key under which it is still sealed is kept.
    const keys = () => world.org.read((db) => db.selectFrom('data_keys').select('id').execute());
    await world.org.write((tx) =>
      tx.updateTable('data_keys').set({ retired_at: 1 }).where('org_id', '=', world.org.orgId).execute(),
    );
    await dropSpentDataKeys(world.org);
    expect(await keys()).toHaveLength(1);
    await world.org.write((tx) =>
      tx.updateTable('data_keys').set({ retired_at: null }).where('org_id', '=', world.org.orgId).execute(),
    );
    expect(await world.vault.rotate(world.org, { newDataKey: true })).toMatchObject({ resealed: 1 });
    expect(await settingText(world.org, 'reranker')).not.toBe(before);
    world.clock.advance(10_000);
    await houses(world, [1, 2]);
    await world.memory.search(world.org, { question, limit: 10 });
    expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer sk-secret-0123456789');
    expect(server.calls()).toHaveLength(1);
    // Sealed anew, nothing holds the former one back.
    await world.org.write((tx) =>
      tx
        .updateTable('data_keys')
        .set({ retired_at: 1 })
        .where('org_id', '=', world.org.orgId)
        .where('retired_at', 'is not', null)
        .execute(),
    );
    await dropSpentDataKeys(world.org);
    expect(await keys()).toHaveLength(1);
  },
);

test('nobody but a person of the org chooses, and who did stands in the record', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  const agent = { kind: 'agent', orgId: world.org.orgId, agentId: 'a', name: 'A', scopes: [] } as never;
  for (const who of [agent, { ...world.owner, orgId: 'org_other' }]) {
    await expect(
      world.reranking.set(world.org, who, { settings: cohere(server.url), channel: 'test' }),
    ).rejects.toMatchObject({ code: 'permission_denied' });
  }
  expect(server.seen).toEqual([]);
  await choose(world, cohere(server.url));
  await choose(world, 'off');
  const rows = await world.org.read((db) => db.selectFrom('audit_log').selectAll().orderBy('seq').execute());
  const entries = rows.map((row) => JSON.stringify(row)).filter((text) => text.includes('reranker.chosen'));
  expect(entries).toHaveLength(2);
  expect(entries[0]).toContain('cohere:rerank-1');
  expect(entries.join()).not.toContain('sk-secret');
});

test('an org that chose nothing gets what the environment says, with its key; one that chose has its own', async () => {
  const server = await gradingServer();
  const own = await gradingServer();
  const world = await embedWorld({ reranker: cohere(server.url) });
  await houses(world, [1, 2]);
  const ask = () => world.memory.search(world.org, { question, limit: 10 });
  await ask();
  expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer env-key-0123456789');
  await world.reranking.set(world.org, world.owner, { settings: cohere(own.url), channel: 'test' });
  await ask();
  expect(own.calls()).toHaveLength(1);
  // The environment's key goes to the environment's server alone.
  expect(own.seen.at(-1)?.headers.authorization).toBeUndefined();
  await choose(world, 'off');
  await ask();
  expect(await world.reranking.chosen(world.org)).toBeUndefined();
  await choose(world, 'environment');
  expect(await world.reranking.chosen(world.org)).toMatchObject({ by: 'environment' });
  expect([server.calls().length, own.calls().length]).toEqual([1, 1]);
});

test('what another process chose holds within five seconds', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  const name = async () => (await world.reranking.chosen(world.org))?.name;
  expect(await name()).toBeUndefined();
  const value = JSON.stringify({ settings: cohere(server.url) });
  await world.org.write((tx) =>
    tx
      .insertInto('org_settings')
      .values({ org_id: world.org.orgId, name: 'reranker', value, updated_at: 1 })
      .execute(),
  );
  world.clock.advance(5_000);
  expect(await name()).toBe('cohere:rerank-1');
});

test('a choice that cannot be read is none', async () => {
  const world = await embedWorld();
  await world.org.write((tx) =>
    tx
      .insertInto('org_settings')
      .values({
        org_id: world.org.orgId,
        name: 'reranker',
        value: '{"settings":{"kind":"x"}}',
        updated_at: 1,
      })
      .execute(),
  );
  expect(await world.reranking.chosen(world.org)).toBeUndefined();
  expect(world.logged.join()).toContain('the setting of the reranker cannot be read');
});

test.each([
  [{}, 'kind: must be cohere, voyage, tei or local'],
  [{ kind: 'cohere' }, 'model: must be given'],
  [{ kind: 'tei' }, 'url: must be given'],
  [{ kind: 'tei', url: 'ftp://a.test' }, 'url: must be given: an http'],
  [{ kind: 'local', model: 'm' }, 'folder: must be given'],
  [{ kind: 'cohere', model: 'm', passages: 41 }, 'passages: '],
  [{ kind: 'cohere', model: 'm', timeoutMs: 60_000 }, 'timeoutMs: '],
  [{ kind: 'cohere', model: 'm', folder: 'x' }, 'folder: is no setting of this kind'],
])('%j is refused by the field at fault', async (settings, message) => {
  const world = await embedWorld();
  await expect(choose(world, settings)).rejects.toMatchObject({
    code: 'invalid_request',
    field: message.split(':')[0],
    message: expect.stringContaining(message),
  });
});

test.each([
  [{ kind: 'cohere' }, 'DRAWBRIDGE_RERANKER_MODEL: must be given'],
  [{ kind: 'cohere', model: 'm', timeoutMs: 1 }, 'DRAWBRIDGE_RERANKER_TIMEOUT_MS: '],
])('an environment of %j is refused by the variable at fault', async (reranker, message) => {
  await expect(embedWorld({ reranker })).rejects.toThrow(message);
});
