// Starts: at once, killed in the middle, and of an older program on a newer database.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrations } from '../../src/store/migrations/list.ts';
import { start } from './child.ts';
import { databases, makeDatabase, serverUrl } from './databases.ts';
import { extraNumber, withExtra } from './fixtures/extra.ts';
import { openAt, type Place } from './fixtures/place.ts';

interface Fresh {
  place: Place;
  /** What the control part of the database holds. */
  tables(): Promise<string[]>;
  versions(): Promise<number[]>;
  remove(): Promise<void>;
}

async function freshHome(): Promise<Fresh> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-migrate-'));
  const query = (sql: string) => {
    const db = new DatabaseSync(join(home, 'control.db'));
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  };
  return {
    place: { home },
    tables: async () => query('select name from sqlite_schema').map((row) => String(row['name'])),
    versions: async () =>
      query('select number from schema_migrations order by number').map((row) => Number(row['number'])),
    remove: () => rm(home, { recursive: true }),
  };
}

async function freshServerDatabase(server: string): Promise<Fresh> {
  const made = await makeDatabase(server);
  await made.permit();
  const query = async (sql: string) => made.admin(sql);
  return {
    place: { url: made.url },
    tables: async () =>
      (await query("select tablename from pg_tables where schemaname = 'drawbridge'")).map((row) =>
        String(row['tablename']),
      ),
    versions: async () =>
      (await query('select number from drawbridge.schema_migrations order by number')).map((row) =>
        Number(row['number']),
      ),
    remove: made.remove,
  };
}

const kinds: { name: string; fresh(): Promise<Fresh> }[] = [
  { name: 'SQLite', fresh: freshHome },
  ...(serverUrl === undefined
    ? []
    : [{ name: 'PostgreSQL', fresh: () => freshServerDatabase(serverUrl ?? '') }]),
];
const shipped = migrations.map((migration) => migration.number);

describe.each(kinds)('on $name', (kind) => {
  let fresh: Fresh;
  beforeEach(async () => {
    fresh = await kind.fresh();
  });
  afterEach(() => fresh.remove());

  test('processes that start at once on nothing all come up, with each migration made once', async () => {
    const children = Array.from({ length: 4 }, () => start('starter.ts', { place: fresh.place }));
    for (const ended of await Promise.all(children.map((child) => child.ended))) {
      expect(ended).toMatchObject({ code: 0, out: 'open 0\n' });
    }
    expect(await fresh.versions()).toEqual(shipped);
  });

  test('a start that is killed in the middle of a migration leaves nothing of it, and the next one resumes', async () => {
    const child = start('starter.ts', { place: fresh.place, stop: true });
    await child.says('half-way');
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await fresh.tables()).not.toContain('extra_first');
    // Opening waits until the dead process's lock is gone.
    const store = await openAt(
      fresh.place,
      withExtra(async () => undefined),
    );
    await store.close();
    expect(await fresh.versions()).toEqual([...shipped, extraNumber]);
    expect(await fresh.tables()).toEqual(expect.arrayContaining(['extra_first', 'extra_second']));
  });

  test('a migration that fails leaves nothing of it', async () => {
    const failing = withExtra(async () => {
      throw new Error('half-way');
    });
    await expect(openAt(fresh.place, failing)).rejects.toThrow('half-way');
    expect(await fresh.versions()).toEqual(shipped);
    expect(await fresh.tables()).not.toContain('extra_first');
  });

  test('an older program refuses a database that a newer one has written, and says what to do', async () => {
    await (await openAt(fresh.place, withExtra())).close();
    await expect(openAt(fresh.place)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/newer Drawbridge .*1000.* Update Drawbridge/),
    });
    expect(await fresh.versions()).toEqual([...shipped, extraNumber]);
  });
});

test("an older program refuses an org's file that a newer one has written", async () => {
  const fresh = await freshHome();
  try {
    const store = await openAt(fresh.place, [
      ...migrations,
      {
        number: extraNumber,
        name: 'extra',
        async org(kit) {
          await kit.orgTable('extra', { columns: { id: 'text' }, key: ['id'] });
        },
      },
    ]);
    const orgId = await store.createOrg('Brightwater Homes');
    await store.close();
    // The control file as an older program left it: only the org's file is ahead.
    const control = new DatabaseSync(join(fresh.place.home ?? '', 'control.db'));
    control.exec(`delete from schema_migrations where number = ${extraNumber}`);
    control.close();
    const older = await openAt(fresh.place);
    await expect(older.forOrg(orgId)).rejects.toMatchObject({ code: 'conflict' });
    await older.close();
  } finally {
    await fresh.remove();
  }
});

test.each(databases)('two starts at once within one process end in one result on $name', async (database) => {
  const opened = await database.open();
  try {
    const others = await Promise.all([opened.again(), opened.again()]);
    const id = await opened.store.createOrg('Brightwater Homes');
    for (const other of others) {
      expect((await other.forOrg(id)).orgId).toBe(id);
      await other.close();
    }
  } finally {
    await opened.close();
  }
});

test.runIf(serverUrl !== undefined)(
  'a database user without the rights is told what an administrator must run',
  async () => {
    const made = await makeDatabase(serverUrl ?? '');
    try {
      await expect(openAt({ url: made.url })).rejects.toMatchObject({
        code: 'permission_denied',
        message: expect.stringContaining(
          `create role drawbridge_app nologin; grant drawbridge_app to "${made.user}";`,
        ),
      });
      await made.permit();
      await (await openAt({ url: made.url })).close();
    } finally {
      await made.remove();
    }
  },
);

test('a role that bypasses row security is refused, for it would show every org to every other', async () => {
  const pglite = databases.find((database) => database.name === 'PGlite');
  const opened = await pglite?.open();
  try {
    await opened?.admin('alter role drawbridge_app bypassrls');
    await expect(opened?.again()).rejects.toMatchObject({ code: 'permission_denied' });
  } finally {
    await opened?.admin('alter role drawbridge_app nobypassrls');
    await opened?.close();
  }
});
