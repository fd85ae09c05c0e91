// Every verb on every table, made from the schema itself: another org's row is never read, written or counted.
// Both orgs hold rows that differ in org_id alone, so every id that could be confused is.
import { type Kysely, sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from './databases.ts';
import { type Shape, sample, shapes } from './shape.ts';

// Any table may be named here, so the rows' types are left open.
type AnyTables = Record<string, Record<string, unknown>>;
type Any = Kysely<AnyTables>;

/** Tables to which rows are only ever added, and what refuses anything else. */
const appendOnly = new Set(['audit_log', 'audit_cuts', 'source_attribution']);
/** Values that a table's own check wants, and a cut of the record that reaches none of its entries. */
const given: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  source_attribution: { fact_id: null, brain_id: null },
  audit_cuts: { seq: -1 },
  client_merges: { kind: 'merge', state: 'proposed' },
};
const onlyAdded = /only ever added|permission denied/;

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let mine: OrgStore;
  let theirs: OrgStore;
  let tables: Shape[] = [];
  let control: string[] = [];

  const read = <R>(work: (db: Any) => Promise<R>, on = mine) => on.read((db) => work(db as unknown as Any));
  const write = <R>(work: (tx: Any) => Promise<R>, on = mine) =>
    on.write((tx) => work(tx as unknown as Transaction<AnyTables>));
  const rowOf = (shape: Shape, orgId: string) =>
    Object.fromEntries(
      shape.columns.map((column) => [
        column.name,
        Object.hasOwn(given[shape.table] ?? {}, column.name)
          ? given[shape.table]?.[column.name]
          : sample(column, orgId),
      ]),
    );

  /** The same, said to be theirs where no row says whose it is. */
  const rowSaidOf = (shape: Shape, orgId: string): Record<string, unknown> => ({
    ...rowOf(shape, orgId),
    org_id: orgId,
  });

  /** What the work answers; nothing that it did remains. */
  async function tried<R>(work: (tx: Any) => Promise<R>): Promise<R> {
    let result: { value: R } | undefined;
    const undone = new Error('undo');
    await write(async (tx) => {
      result = { value: await work(tx) };
      throw undone;
    }).catch((thrown) => {
      if (thrown !== undone) throw thrown;
    });
    if (result === undefined) throw new Error('the work did not run');
    return result.value;
  }

  beforeAll(async () => {
    opened = await database.open();
    mine = await opened.store.forOrg(await opened.store.createOrg('Mine'));
    theirs = await opened.store.forOrg(await opened.store.createOrg('Theirs'));
    ({ org: tables, control } = await shapes(opened, mine.orgId));
    for (const org of [mine, theirs]) {
      // Rows that refer to others go in once those are there.
      let waiting = tables;
      while (waiting.length > 0) {
        const refused: Shape[] = [];
        for (const shape of waiting) {
          await write(
            (tx) => tx.insertInto(shape.table).values(rowOf(shape, org.orgId)).execute(),
            org,
          ).catch(() => refused.push(shape));
        }
        if (refused.length === waiting.length) throw new Error(`no row fits ${refused.map((s) => s.table)}`);
        waiting = refused;
      }
    }
  });
  afterAll(() => opened.close());

  /** Runs `check` for each table, and says in which it failed. */
  async function everyTable(check: (shape: Shape) => Promise<void>): Promise<void> {
    expect(tables.length).toBeGreaterThanOrEqual(15);
    for (const shape of tables) {
      await check(shape).catch((thrown: unknown) => {
        throw new Error(`${shape.table}: ${thrown}`, { cause: thrown });
      });
    }
  }

  async function expectTheirsUntouched(shape: Shape): Promise<void> {
    const rows = await read((db) => db.selectFrom(shape.table).selectAll().execute(), theirs);
    // What the database itself makes of other columns is as they are.
    const written = new Set(shape.columns.map((column) => column.name));
    const stored = rows.map((row) => Object.entries(row).filter(([name]) => written.has(name)));
    expect(stored.map((row) => Object.fromEntries(row))).toEqual([rowOf(shape, theirs.orgId)]);
  }

  test('select, with and without a condition, raw, and through a join, a sub-query and a CTE', async () => {
    await everyTable(async ({ table }) => {
      const orgsOf = (rows: Record<string, unknown>[]) => rows.map((row) => row['org_id']);
      await read(async (db) => {
        const t = sql.table(table);
        expect(orgsOf(await db.selectFrom(table).selectAll().execute())).toEqual([mine.orgId]);
        expect(await db.selectFrom(table).selectAll().where('org_id', '=', theirs.orgId).execute()).toEqual(
          [],
        );
        expect(await db.selectFrom(table).selectAll().where('org_id', '!=', mine.orgId).execute()).toEqual(
          [],
        );
        const raw = await sql<
          Record<string, unknown>
        >`select * from ${t} where 1 = 1 or org_id = ${theirs.orgId}`.execute(db);
        expect(orgsOf(raw.rows)).toEqual([mine.orgId]);
        const joined = await sql<
          Record<string, unknown>
        >`select b.org_id from orgs a cross join ${t} b left join ${t} c on 1 = 1`.execute(db);
        expect(orgsOf(joined.rows)).toEqual([mine.orgId]);
        const nested = await sql<{
          n: number;
        }>`select (select count(*) from ${t} where org_id <> ${mine.orgId}) as n`.execute(db);
        expect(nested.rows[0]?.n).toBe(0);
        const cte = await sql<
          Record<string, unknown>
        >`with x as (select * from ${t}) select org_id from x union select org_id from ${t}`.execute(db);
        expect(orgsOf(cte.rows)).toEqual([mine.orgId]);
      });
    });
  });

  test('count and exists', async () => {
    await everyTable(async ({ table }) => {
      await read(async (db) => {
        const counted = await db
          .selectFrom(table)
          .select(db.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow();
        expect(counted['n']).toBe(1);
        const exists = await sql<{
          n: number;
        }>`select count(*) as n from orgs where exists (select 1 from ${sql.table(table)} where org_id = ${theirs.orgId})`.execute(
          db,
        );
        expect(exists.rows[0]?.n).toBe(0);
      });
    });
  });

  test('insert', async () => {
    await everyTable(async (shape) => {
      const row = rowSaidOf(shape, theirs.orgId);
      for (const column of shape.columns) if (row[column.name] === 'same') row[column.name] = 'new';
      const columns = sql.join(shape.columns.map((column) => sql.ref(column.name)));
      await expect(write((tx) => tx.insertInto(shape.table).values(row).execute())).rejects.toThrow();
      await expect(
        write((tx) =>
          sql`insert into ${sql.table(shape.table)} (${columns}) select ${columns} from ${sql.table(shape.table)} where org_id <> ${mine.orgId}`.execute(
            tx,
          ),
        ),
      ).resolves.toMatchObject({ numAffectedRows: 0n });
      await expectTheirsUntouched(shape);
    });
  });

  test('update, of their rows, of all rows, and of my row into theirs', async () => {
    await everyTable(async (shape) => {
      const change = { org_id: mine.orgId };
      if (appendOnly.has(shape.table)) {
        const all = tried((tx) => tx.updateTable(shape.table).set(change).execute());
        await expect(all).rejects.toThrow(onlyAdded);
        return expectTheirsUntouched(shape);
      }
      if (shape.ofOneOrg === true) {
        for (const to of [mine, theirs]) {
          const all = write((tx) => tx.updateTable(shape.table).set({ org_id: to.orgId }).execute());
          await expect(all).rejects.toThrow('generated column');
        }
        return expectTheirsUntouched(shape);
      }
      await tried(async (tx) => {
        const theirRow = await tx
          .updateTable(shape.table)
          .set(change)
          .where('org_id', '=', theirs.orgId)
          .executeTakeFirst();
        expect(theirRow.numUpdatedRows).toBe(0n);
        const all = await tx.updateTable(shape.table).set(change).executeTakeFirst();
        expect(all.numUpdatedRows).toBe(1n);
      });
      await expect(
        write((tx) => tx.updateTable(shape.table).set({ org_id: theirs.orgId }).execute()),
      ).rejects.toThrow();
      await expectTheirsUntouched(shape);
    });
  });

  test('delete', async () => {
    await everyTable(async (shape) => {
      if (appendOnly.has(shape.table)) {
        await expect(tried((tx) => tx.deleteFrom(shape.table).execute())).rejects.toThrow(onlyAdded);
        return expectTheirsUntouched(shape);
      }
      const theirRows = await tried((tx) =>
        tx.deleteFrom(shape.table).where('org_id', '=', theirs.orgId).executeTakeFirst(),
      );
      expect(theirRows.numDeletedRows).toBe(0n);
      // A row that others refer to stays; the others go, alone.
      await tried((tx) => tx.deleteFrom(shape.table).executeTakeFirst()).then(
        (gone) => expect(gone.numDeletedRows).toBe(1n),
        (thrown) => expect(String(thrown)).toMatch(/foreign key/i),
      );
      await expectTheirsUntouched(shape);
    });
  });

  test('upsert on a conflict with their row', async () => {
    await everyTable(async (shape) => {
      const theirRow = rowSaidOf(shape, theirs.orgId);
      const names = sql.join(Object.keys(theirRow).map((name) => sql.ref(name)));
      const upsert = (tx: Any, row: Record<string, unknown>) =>
        sql`insert into ${sql.table(shape.table)} (${names}) values (${sql.join(Object.values(row))}) on conflict do nothing`.execute(
          tx,
        );
      // PostgreSQL refuses; SQLite has no such org to refer to. In neither is the row found to be there.
      await expect(write((tx) => upsert(tx, theirRow))).rejects.toThrow();
      const key = shape.columns
        .map((column) => column.name)
        .filter((name) => name === 'org_id' || name === 'id');
      if (key.length === 2) {
        const overwrite = write((tx) =>
          tx
            .insertInto(shape.table)
            .values(theirRow)
            .onConflict((conflict) => conflict.columns(['org_id', 'id']).doUpdateSet({ org_id: mine.orgId }))
            .execute(),
        );
        await expect(overwrite).rejects.toThrow();
      }
      await expectTheirsUntouched(shape);
    });
  });

  test("the orgs table shows one's own org alone, and takes no other", async () => {
    const rows = await read((db) => db.selectFrom('orgs').selectAll().execute());
    expect(rows.map((row) => row['id'])).toEqual([mine.orgId]);
    await expect(
      write((tx) => tx.insertInto('orgs').values({ id: 'org_other', name: 'x', created_at: 1 }).execute()),
    ).rejects.toThrow();
    await expect(write((tx) => tx.updateTable('orgs').set({ id: theirs.orgId }).execute())).rejects.toThrow();
  });

  test('the control tables cannot be reached', async () => {
    expect(control).toEqual(
      expect.arrayContaining(['members', 'api_keys', 'sign_in_links', 'sessions', 'processes']),
    );
    for (const table of control.filter((name) => name !== 'schema_migrations')) {
      await expect(
        read((db) => sql`select * from ${sql.table(table)}`.execute(db)),
        table,
      ).rejects.toThrow();
      await expect(
        write((tx) => sql`delete from ${sql.table(table)}`.execute(tx)),
        table,
      ).rejects.toThrow();
    }
  });

  test.runIf(database.dialect === 'postgres')(
    'every table of an org is guarded, and its guard binds its owner too',
    async () => {
      for (const { table } of tables) {
        const [row] = await opened.admin(`
        select c.relrowsecurity as enabled, c.relforcerowsecurity as forced, r.rolname as owner
        from pg_class c join pg_roles r on r.oid = c.relowner where c.oid = 'drawbridge.${table}'::regclass`);
        expect(row, table).toMatchObject({ enabled: expect.anything(), forced: expect.anything() });
        expect([Boolean(row?.['enabled']), Boolean(row?.['forced'])], table).toEqual([true, true]);
        expect(row?.['owner'], table).not.toBe('drawbridge_app');
      }
    },
  );

  test.runIf(database.name === 'PostgreSQL')(
    "a transaction that names no org, the owner's too, sees no row",
    async () => {
      for (const { table } of tables) {
        const seen = await opened.store.control.read((db) =>
          sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db),
        );
        expect(seen.rows[0]?.n, table).toBe(0);
      }
    },
  );

  test.runIf(database.dialect === 'sqlite')("raw SQL cannot open another org's file", async () => {
    const attach = (path: string | undefined) =>
      write((tx) => sql`attach database ${path} as other`.execute(tx));
    await expect(attach(theirs.file)).rejects.toThrow('too many attached databases');
  });
});
