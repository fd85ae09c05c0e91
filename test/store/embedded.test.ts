// The embedded layout: who may read the files, what is in them, and what happens when they are not right.
import { copyFile, mkdtemp, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

const log = createLog({ level: 'silent' });
let parent: string;
let home: string;
let store: Store | undefined;

async function open(): Promise<Store> {
  store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  return store;
}
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'drawbridge-embedded-'));
  home = join(parent, 'deep', 'home');
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  await rm(parent, { recursive: true });
});

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('the home is for its owner alone, and so is every file in it, while the store is open', async () => {
  const opened = await open();
  const org = await opened.forOrg(await opened.createOrg('Brightwater Homes'));
  await org.write((tx) =>
    tx
      .insertInto('leases')
      .values({ org_id: org.orgId, name: 'a', owner: 'a', fencing: 1, until: 1 })
      .execute(),
  );
  expect(await mode(home)).toBe('700');
  expect(await mode(join(home, 'orgs'))).toBe('700');
  const files = [
    ...(await readdir(home)).filter((name) => name !== 'orgs').map((name) => join(home, name)),
    ...(await readdir(join(home, 'orgs'))).map((name) => join(home, 'orgs', name)),
  ];
  expect(files.some((file) => file.endsWith('.db-wal'))).toBe(true);
  for (const file of files) expect(await mode(file), file).toBe('600');
});

test('a closed store is one control file and one file an org, and nothing else', async () => {
  const opened = await open();
  const ids = [await opened.createOrg('A'), await opened.createOrg('B')];
  await opened.close();
  store = undefined;
  expect((await readdir(home)).sort()).toEqual(['control.db', 'orgs']);
  expect((await readdir(join(home, 'orgs'))).sort()).toEqual(ids.map((id) => `${id}.db`).sort());
});

test('commits are on the disk before they are answered, and other processes may write meanwhile', async () => {
  const opened = await open();
  const org = await opened.forOrg(await opened.createOrg('Brightwater Homes'));
  const pragmas = await org.write(async (tx) => {
    const { sql } = await import('kysely');
    const value = async (name: string) =>
      Object.values((await sql<object>`pragma ${sql.raw(name)}`.execute(tx)).rows[0] ?? {})[0];
    return [
      await value('journal_mode'),
      await value('synchronous'),
      await value('foreign_keys'),
      await value('busy_timeout'),
    ];
  });
  expect(pragmas).toEqual(['wal', 2, 1, 0]);
});

test('a reader keeps little of the file beside what the system keeps of it', async () => {
  const opened = await open();
  const org = await opened.forOrg(await opened.createOrg('Brightwater Homes'));
  const { sql } = await import('kysely');
  const { rows } = await org.read((db) => sql<{ cache_size: number }>`pragma cache_size`.execute(db));
  expect(rows).toEqual([{ cache_size: -2_000 }]);
});

test("an org's file that was removed is not quietly begun anew", async () => {
  const opened = await open();
  const id = await opened.createOrg('Brightwater Homes');
  const { file } = await opened.forOrg(id);
  await opened.close();
  await unlink(file ?? '');
  await expect((await open()).forOrg(id)).rejects.toThrow(/missing. Restore .*\.db from a backup/);
});

test("an org's file under another org's name is refused", async () => {
  const opened = await open();
  const [a, b] = [await opened.createOrg('A'), await opened.createOrg('B')];
  const [fileA, fileB] = [(await opened.forOrg(a)).file ?? '', (await opened.forOrg(b)).file ?? ''];
  await opened.close();
  await copyFile(fileA, fileB);
  const again = await open();
  await expect(again.forOrg(b)).rejects.toThrow('holds another org');
  expect((await again.forOrg(a)).orgId).toBe(a);
});

test('a file that is no database is named, with what to do', async () => {
  await (await open()).close();
  store = undefined;
  await writeFile(
    join(home, 'control.db'),
    'not a database, though long enough to be looked at as one'.repeat(100),
  );
  await expect(open()).rejects.toThrow(/control\.db is damaged. Restore it from a backup/);
});

test('a full disk surfaces as an error that says so, writes nothing, and is over when there is room', async () => {
  const opened = await open();
  const org = await opened.forOrg(await opened.createOrg('Brightwater Homes'));
  const { sql } = await import('kysely');
  const limit = (pages: number) =>
    org.write((tx) => sql`pragma max_page_count = ${sql.raw(String(pages))}`.execute(tx));
  const fill = (name: string, owner: string) =>
    org.write(async (tx) => {
      for (let i = 0; i < 50; i += 1) {
        await tx
          .insertInto('leases')
          .values({ org_id: org.orgId, name: `${name} ${i}`, owner, fencing: 1, until: 1 })
          .execute();
      }
    });
  const count = () => org.read(async (db) => (await db.selectFrom('leases').selectAll().execute()).length);
  await limit(1);
  await expect(fill('full', 'x'.repeat(100_000))).rejects.toMatchObject({
    code: 'internal',
    retry: 'later',
    message: expect.stringContaining('disk is full'),
  });
  expect(await count()).toBe(0);
  // Small writes into free pages go on, and all of it once there is room.
  await limit(1_000_000);
  await fill('room', 'x'.repeat(1_000));
  expect(await count()).toBe(50);
  const check = new DatabaseSync(org.file ?? '', { readOnly: true });
  expect(check.prepare('pragma integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
  check.close();
});

test('a write that another process holds up waits without blocking, and gives up after ten seconds in plain words', async () => {
  let elapsed = 0;
  let sleeps = 0;
  const clock = {
    now: () => Date.now(),
    elapsed: () => elapsed,
    sleep: async (ms: number) => {
      sleeps += 1;
      elapsed += ms;
    },
  };
  store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  const org = await store.forOrg(await store.createOrg('Brightwater Homes'));
  const other = new DatabaseSync(org.file ?? '', { timeout: 0 });
  other.exec('begin immediate');
  const held = org.write(async () => 'written');
  await expect(held).rejects.toMatchObject({
    retry: 'later',
    message: expect.stringContaining('busy for 10 seconds'),
  });
  expect(elapsed).toBeGreaterThanOrEqual(10_000);
  expect(sleeps).toBeGreaterThan(100);
  // Reading goes on meanwhile.
  expect(await org.read((db) => db.selectFrom('orgs').select('name').execute())).toHaveLength(1);
  other.exec('commit');
  other.close();
  expect(await org.write(async () => 'written')).toBe('written');
});

test('an org without members is removed with its files; one that has a member is not', async () => {
  const opened = await open();
  const [empty, owned] = [await opened.createOrg('Empty'), await opened.createOrg('Owned')];
  await opened.control.write((tx) =>
    tx
      .insertInto('members')
      .values({ org_id: owned, id: 'mbr_1', email: null, name: 'Ada', role: 'owner', created_at: 1 })
      .execute(),
  );
  await opened.removeOrg(empty);
  await expect(opened.forOrg(empty)).rejects.toMatchObject({ code: 'not_found' });
  await expect(opened.removeOrg(owned)).rejects.toMatchObject({ code: 'conflict' });
  expect((await readdir(join(home, 'orgs'))).filter((name) => name.includes(empty))).toEqual([]);
  expect((await opened.forOrg(owned)).orgId).toBe(owned);
});

test('a long run of queries lets the event loop go on', async () => {
  const opened = await open();
  const org = await opened.forOrg(await opened.createOrg('Brightwater Homes'));
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  try {
    // By the processor's time: on a crowded machine other programs have the most of any other.
    const from = process.cpuUsage();
    for (let used = 0; used < 300_000; ) {
      await org.read((db) => db.selectFrom('orgs').selectAll().execute());
      const { user, system } = process.cpuUsage(from);
      used = user + system;
    }
    expect(turns).toBeGreaterThan(3);
  } finally {
    clearInterval(timer);
  }
});
