// Writes that no answer waits for: on the disk when they resolve, and not waited for by the event loop.
import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { writeSetting } from '../../src/store/settings.ts';
import { openEmbedded } from '../../src/store/sqlite/embedded.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import type { OrgTables } from '../../src/store/tables.ts';

/** What the disk does with the log of a database; undefined: what it does by itself. */
const disk = vi.hoisted((): { sync: (() => Promise<void>) | undefined } => ({ sync: undefined }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open = async (...given: Parameters<typeof real.open>): Promise<FileHandle> => {
    const handle = await real.open(...given);
    const { sync } = disk;
    if (sync !== undefined && String(given[0]).endsWith('-wal')) handle.datasync = sync;
    return handle;
  };
  return { ...real, open };
});

let home: string;
let store: Store;
let org: OrgStore;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-beside-'));
  store = await openEmbedded({ home, clock: systemClock, log: createLog({ level: 'silent' }) });
  org = await store.forOrg(await store.createOrg('Brightwater Homes'));
});
afterEach(async () => {
  disk.sync = undefined;
  await store.close();
  await rm(home, { recursive: true });
});

const set = (value: string) => (tx: Parameters<Parameters<OrgStore['writeBeside']>[0]>[0]) =>
  writeSetting(tx, org.orgId, { name: 'note', value, at: 1 });
const stored = () =>
  org.read((db) => db.selectFrom('org_settings').select('value').where('name', '=', 'note').execute());
/** 2: a commit waits for the disk. 1: it does not. */
const waiting = async (db: Kysely<OrgTables>) =>
  (await sql<{ synchronous: number }>`pragma synchronous`.execute(db)).rows[0]?.synchronous;

test('what is written beside is there at once, and resolves when the disk has it', async () => {
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  disk.sync = () => {
    begun.resolve();
    return done.promise;
  };
  let resolved = false;
  const writing = org.writeBeside(set('one')).then(() => {
    resolved = true;
  });
  await begun.promise;
  expect(await stored()).toEqual([{ value: '"one"' }]);
  // Others write meanwhile.
  await org.write(set('two'));
  expect(resolved).toBe(false);
  done.resolve();
  await writing;
  expect(await stored()).toEqual([{ value: '"two"' }]);
});

test('a write beside whose disk fails is told so', async () => {
  disk.sync = () => Promise.reject(new Error('EIO'));
  await expect(org.writeBeside(set('one'))).rejects.toThrow('EIO');
});

test('only commits beside do not wait for the disk: the next write does, whatever became of the one before', async () => {
  expect(await org.writeBeside(waiting)).toBe(1);
  expect(await org.write(waiting)).toBe(2);
  const failed = org.writeBeside(async () => {
    throw new Error('given up');
  });
  await expect(failed).rejects.toThrow('given up');
  expect(await org.write(waiting)).toBe(2);
});

test('no write begins before the one in front of it ends, beside or not', async () => {
  const seen: string[] = [];
  const write = (name: string) => async (tx: Kysely<OrgTables>) => {
    seen.push(`${name} begins`);
    await tx.selectFrom('orgs').select('id').execute();
    seen.push(`${name} ends`);
  };
  await Promise.all([
    org.write(write('one')),
    org.writeBeside(write('two')),
    org.write(write('three')),
    org.writeBeside(write('four')),
  ]);
  expect(seen.filter((_, i) => i % 2 === 1)).toEqual(
    seen.filter((_, i) => i % 2 === 0).map((begun) => begun.replace('begins', 'ends')),
  );
  expect(seen).toHaveLength(8);
});
