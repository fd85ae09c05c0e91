// The handle's promises, the same on every database.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from './databases.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let org: OrgStore;
  let count = 0;

  beforeAll(async () => {
    opened = await database.open();
    org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
  });
  afterAll(() => opened.close());

  function freshName(): string {
    count += 1;
    return `row ${count}`;
  }
  function lease(name: string) {
    return { org_id: org.orgId, name, owner: 'a', fencing: 1, until: 5 };
  }
  function insert(name: string) {
    return org.write((tx) => tx.insertInto('leases').values(lease(name)).executeTakeFirst());
  }
  function find(name: string, on = org) {
    return on.read((db) => db.selectFrom('leases').selectAll().where('name', '=', name).executeTakeFirst());
  }

  test('what a write committed is read, by another store too', async () => {
    const name = freshName();
    expect((await insert(name)).numInsertedOrUpdatedRows).toBe(1n);
    expect(await find(name)).toEqual(lease(name));
    const other = await opened.again();
    try {
      expect(await find(name, await other.forOrg(org.orgId))).toEqual(lease(name));
    } finally {
      await other.close();
    }
  });

  test('a write whose callback throws leaves nothing', async () => {
    const name = freshName();
    const failing = org.write(async (tx) => {
      await tx.insertInto('leases').values(lease(name)).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await find(name)).toBeUndefined();
  });

  test('a statement that failed fails the whole write, though the callback swallowed its error', async () => {
    const name = freshName();
    const failing = org.write(async (tx) => {
      await tx.insertInto('leases').values(lease(name)).execute();
      await tx
        .insertInto('leases')
        .values(lease(name))
        .execute()
        .catch(() => 'swallowed');
    });
    await expect(failing).rejects.toThrow('earlier statement');
    expect(await find(name)).toBeUndefined();
    await insert(name);
    expect(await find(name)).toBeDefined();
  });

  test('a read cannot write', async () => {
    const name = freshName();
    await expect(org.read((db) => db.insertInto('leases').values(lease(name)).execute())).rejects.toThrow(
      'A read may not write.',
    );
    expect(await find(name)).toBeUndefined();
  });

  test('a transaction that outlived its callback does nothing more', async () => {
    const name = freshName();
    const kept = await org.write(async (tx) => ({ tx }));
    await expect(kept.tx.insertInto('leases').values(lease(name)).execute()).rejects.toThrow();
    const readKept = await org.read(async (db) => ({ db }));
    await expect(readKept.db.selectFrom('leases').selectAll().execute()).rejects.toThrow();
    expect(await find(name)).toBeUndefined();
  });

  test('writes asked for at once follow one another, and none is lost', async () => {
    const name = freshName();
    await insert(name);
    const rounds = 20;
    await Promise.all(
      Array.from({ length: rounds }, () =>
        org.write(async (tx) => {
          const before = await tx
            .selectFrom('leases')
            .select('until')
            .where('name', '=', name)
            .executeTakeFirstOrThrow();
          await tx
            .updateTable('leases')
            .set({ until: before.until + 1 })
            .where('name', '=', name)
            .execute();
        }),
      ),
    );
    expect((await find(name))?.until).toBe(5 + rounds);
  });

  test.skipIf(database.name === 'PGlite')(
    'a read sees one snapshot, though another write commits meanwhile',
    async () => {
      const name = freshName();
      const midway = Promise.withResolvers<void>();
      const written = Promise.withResolvers<void>();
      const counts = org.read(async (db) => {
        const countRows = () =>
          db
            .selectFrom('leases')
            .select(db.fn.countAll<number>().as('n'))
            .where('name', '=', name)
            .executeTakeFirstOrThrow();
        const before = await countRows();
        midway.resolve();
        await written.promise;
        return [before.n, (await countRows()).n];
      });
      await midway.promise;
      await insert(name);
      written.resolve();
      expect(await counts).toEqual([0, 0]);
      expect(await find(name)).toBeDefined();
    },
  );

  test('a read inside a write sees what was written, and a read inside a read its snapshot', async () => {
    const name = freshName();
    await org.write(async (tx) => {
      await tx.insertInto('leases').values(lease(name)).execute();
      expect(await find(name)).toBeDefined();
    });
    expect(await org.read(() => find(name))).toBeDefined();
  });

  test('what would wait for itself is refused: a write in a write, another database in a write', async () => {
    await expect(org.write(() => org.write(async () => 1))).rejects.toThrow('wait for itself');
    await expect(org.read(() => org.write(async () => 1))).rejects.toThrow('wait for itself');
    await expect(org.write(() => opened.store.control.read(async () => 1))).rejects.toThrow(
      'wait for itself',
    );
  });

  test('work started inside a write and outliving it may write', async () => {
    const name = freshName();
    const go = Promise.withResolvers<void>();
    const { later } = await org.write(async () => ({ later: go.promise.then(() => insert(name)) }));
    go.resolve();
    await later;
    expect(await find(name)).toBeDefined();
  });

  test('numbers, text, bytes and nothing come back as they went in', async () => {
    const bytes = new Uint8Array([0, 255, 92, 120]);
    const text = 'Grüße 東京 \\x00 "quoted" \'🏡\' \uD800';
    await org.write(async (tx) => {
      const connection = {
        org_id: org.orgId,
        id: 'con_values',
        provider: 'mailbox',
        account: 'a',
        label: text,
        state: 'ACTIVE' as const,
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 1_790_000_000_123,
        updated_at: Number.MAX_SAFE_INTEGER,
      };
      await tx.insertInto('connected_sources').values(connection).execute();
      await tx
        .insertInto('secrets')
        .values({
          org_id: org.orgId,
          connection_id: 'con_values',
          field: 'password',
          sealed: bytes,
          key_id: 'k',
          updated_at: 0,
        })
        .execute();
    });
    const row = await org.read((db) =>
      db
        .selectFrom('connected_sources')
        .innerJoin('secrets', 'connection_id', 'id')
        .selectAll('connected_sources')
        .select('sealed')
        .executeTakeFirstOrThrow(),
    );
    expect(row.label).toBe(text.replace('\uD800', '\uFFFD'));
    expect(row.created_at).toBe(1_790_000_000_123);
    expect(row.updated_at).toBe(Number.MAX_SAFE_INTEGER);
    expect(row.last_sync_at).toBeNull();
    expect(row.sealed).toEqual(bytes);
    expect(Object.getPrototypeOf(row.sealed)).toBe(Uint8Array.prototype);
  });

  test('counts, sums and comparisons are numbers; U+0000 keeps its place as U+FFFD', async () => {
    const name = freshName();
    await insert(name);
    await org.write((tx) =>
      tx.updateTable('leases').set({ owner: 'a\0b' }).where('name', '=', name).execute(),
    );
    const row = await org.read((db) =>
      db
        .selectFrom('leases')
        .select((e) => [
          e.fn.countAll<number>().as('count'),
          e.fn.sum<number>('until').as('sum'),
          sql<number>`max(until) > 1`.as('more'),
          e.fn.max('owner').as('owner'),
        ])
        .where('name', '=', name)
        .executeTakeFirstOrThrow(),
    );
    expect({ ...row }).toEqual({ count: 1, sum: 5, more: 1, owner: 'a\uFFFDb' });
  });

  test('a Date, an object and NaN are refused before they reach the database', async () => {
    const set = (until: unknown) =>
      org.write((tx) =>
        tx
          .updateTable('leases')
          .set({ until: until as number })
          .execute(),
      );
    await expect(set(new Date(5))).rejects.toThrow('integer milliseconds');
    await expect(set({ at: 5 })).rejects.toThrow('toJson');
    await expect(set(Number.NaN)).rejects.toThrow('NaN');
    await expect(set('tomorrow')).rejects.toThrow();
  });

  test('text is ordered by its bytes', async () => {
    const names = ['b', 'a', 'Z', 'ä', 'A1', 'A_'];
    await org.write((tx) =>
      tx
        .insertInto('leases')
        .values(names.map((name) => ({ ...lease(name), owner: 'order' })))
        .execute(),
    );
    const rows = await org.read((db) =>
      db.selectFrom('leases').select('name').where('owner', '=', 'order').orderBy('name').execute(),
    );
    expect(rows.map((row) => row.name)).toEqual(['A1', 'A_', 'Z', 'a', 'b', 'ä']);
  });

  test('the database tells the time in milliseconds', async () => {
    const before = Date.now();
    const now = await org.now();
    expect(Number.isInteger(now)).toBe(true);
    expect(Math.abs(now - before)).toBeLessThan(60_000);
    expect(await org.write(async () => org.now())).toBeGreaterThanOrEqual(now);
  });

  test('an org that does not exist is not found, whatever its id tries', async () => {
    for (const id of [
      'org_00000000000000000000000000',
      '../control',
      `${org.orgId}/../../control`,
      "' or 1=1 --",
      '',
    ]) {
      await expect(opened.store.forOrg(id)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('a handle shows no part of the database beneath it', () => {
    expect(Object.keys(org).sort()).toEqual([
      'dialect',
      'file',
      'now',
      'orgId',
      'read',
      'write',
      'writeBeside',
    ]);
    expect(Object.keys(opened.store.control).sort()).toEqual(['now', 'read', 'write', 'writeBeside']);
    expect(Object.isFrozen(org) && Object.isFrozen(opened.store)).toBe(true);
  });
});
