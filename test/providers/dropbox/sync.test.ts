// Dropbox in memory itself: a folder that is deleted takes its documents along, and who may not read a file any more
// does not find it.
import { expect, onTestFinished, test } from 'vitest';
import { createDropbox, dropboxApp } from '../../../sandbox/dropbox/index.ts';
import { emptyWorld } from '../../../sandbox/world.ts';
import { syncConnection } from '../../../src/jobs/sync.ts';
import { createMemory } from '../../../src/memory/create.ts';
import { catalog } from '../../../src/providers/catalog.ts';
import { openProviderWorld } from '../../conformance/provider-world.ts';
import { log } from '../../connections/office.ts';
import { manualClock } from '../../egress/manual-clock.ts';

async function office() {
  const entry = catalog.find(({ id }) => id === 'dropbox');
  if (entry === undefined) throw new Error('there is no dropbox');
  const clock = manualClock();
  const { emulator, authorization, files } = createDropbox({ clock, world: emptyWorld(clock.now()) });
  const way = { kind: 'browser', ...dropboxApp, authorization } as const;
  const other = { emulators: [emulator], way, fields: {}, samples: {}, feeds: {} };
  const world = await openProviderWorld(entry, { other });
  const connection = await world.connect();
  const memory = createMemory({ clock: world.clock, log });
  onTestFinished(() => memory.close());
  const { org, connections } = world;
  const documents = () =>
    org.read((db) =>
      db
        .selectFrom('source_documents')
        .select(['external_id as id', 'readers'])
        .where('deleted_at', 'is', null)
        .orderBy('external_id')
        .execute(),
    );
  return {
    files,
    sync: () => syncConnection({ org, connection, connections, memory, clock: world.clock, log }),
    ids: async () => (await documents()).map(({ id }) => id),
    readers: async (id: string) => (await documents()).find((one) => one.id === id)?.readers,
  };
}

test('a folder that is deleted takes its documents along, and those that are put there anew stay', async () => {
  const { files, sync, ids } = await office();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) files.put(`/Kept/${name}.txt`, name);
  files.put('/Offers/one.txt', 'one');
  files.put('/Offers/deep/two.txt', 'two');
  await sync();
  expect(await ids()).toHaveLength(8);
  files.remove('/Offers');
  files.put('/Offers/three.txt', 'three');
  expect(await sync()).toMatchObject({ deleted: 2, inserted: 1 });
  expect((await ids()).filter((id) => id.startsWith('/offers/'))).toEqual(['/offers/three.txt']);
  expect(await sync()).toMatchObject({ seen: 0, deleted: 0 });
});

test('who left a shared folder is no reader of its documents after the next sync', async () => {
  const { files, sync, readers } = await office();
  files.put('/Team/plan.txt', 'plan');
  files.share('/Team', [{ email: 'bo@agency.test' }, { email: 'cy@agency.test' }]);
  await sync();
  expect(JSON.stringify(await readers('/team/plan.txt'))).toContain('bo@agency.test');
  files.share('/Team', [{ email: 'cy@agency.test' }]);
  await sync();
  const left = JSON.stringify(await readers('/team/plan.txt'));
  expect([left.includes('cy@agency.test'), left.includes('bo@agency.test')]).toEqual([true, false]);
});
