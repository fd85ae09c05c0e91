// An org's file of an older program, with a row in every table, becomes one whose rows say less, and loses none of it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { staticEnName } from '../../src/memory/embed/static-en.ts';
import { migrations } from '../../src/store/migrations/list.ts';
import { start } from './child.ts';
import { openAt } from './fixtures/place.ts';
import { sample } from './shape.ts';

let home: string;
let orgId: string;
let file: string;

/** What a table's own check wants. */
const given: Readonly<Record<string, Readonly<Record<string, SQLInputValue>>>> = {
  source_attribution: { fact_id: null, brain_id: null },
  audit_cuts: { seq: -1 },
  client_merges: { kind: 'merge', state: 'proposed' },
};

function opened<Result>(work: (db: DatabaseSync) => Result): Result {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function tablesOf(db: DatabaseSync): string[] {
  const rows = db.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'");
  return rows.all().flatMap(({ name }) => (name === 'schema_migrations' ? [] : [String(name)]));
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-rows-'));
  const older = await openAt(
    { home },
    migrations.filter(({ number }) => number < 15),
  );
  orgId = await older.createOrg('One');
  file = join(home, 'orgs', `${orgId}.db`);
  await older.close();
  opened((db) => {
    for (const table of tablesOf(db).filter((name) => name !== 'orgs')) {
      const columns = db.prepare('select name, type from pragma_table_info(?)').all(table);
      const row = columns.map(({ name, type }): [string, SQLInputValue] => [
        String(name),
        given[table]?.[String(name)] !== undefined
          ? (given[table]?.[String(name)] ?? null)
          : (sample({ name: String(name), type: String(type).toLowerCase() }, orgId) as SQLInputValue),
      ]);
      const names = row.map(([name]) => name).join();
      db.prepare(`insert into ${table} (${names}) values (${row.map(() => '?').join()})`).run(
        ...row.map(([, value]) => value),
      );
    }
    db.prepare('insert into chunk_vectors (org_id, model, seq, vector) values (?, ?, 7, ?)').run(
      orgId,
      staticEnName,
      new Uint8Array([1, 2, 3]),
    );
  });
});
afterEach(() => rm(home, { recursive: true }));

/** Every row of every table, and the vectors of all models in one place. */
function rowsNow(): Record<string, unknown[]> {
  return opened((db) => {
    expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
    const found: Record<string, unknown[]> = {};
    for (const table of tablesOf(db)) {
      const place = table === 'built_in_vectors' ? 'chunk_vectors' : table;
      found[place] = [...(found[place] ?? []), ...db.prepare(`select * from ${table}`).all()];
    }
    found['chunk_vectors']?.sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length);
    return found;
  });
}

/** Names of indices, without those that a key makes by itself. */
const indexes = () =>
  opened((db) =>
    db.prepare("select name from sqlite_schema where type = 'index' and sql is not null order by name").all(),
  );

async function open(): Promise<void> {
  const store = await openAt({ home });
  await store.forOrg(orgId);
  await store.close();
}

const versions = () =>
  opened((db) => db.prepare('select number from schema_migrations').all()).map(({ number }) => number);

test('every row of every table is there afterwards, as it was, and every index', async () => {
  const before = rowsNow();
  for (const [table, rows] of Object.entries(before))
    expect(rows, table).toHaveLength(table === 'chunk_vectors' ? 2 : 1);
  const named = indexes();
  await open();
  expect(rowsNow()).toEqual(before);
  expect(indexes()).toEqual(named);
});

test('a file that was made new is the same as one that was changed', async () => {
  await open();
  const store = await openAt({ home });
  const other = await store.createOrg('Two');
  await store.close();
  const shape = () =>
    opened((db) =>
      db
        .prepare('select name, tbl_name, sql from sqlite_schema where type <> ? order by name')
        .all('trigger')
        .map(({ name, tbl_name, sql }) => [
          name,
          tbl_name,
          sql === null ? null : String(sql).replaceAll('"', ''),
        ]),
    );
  const changed = shape();
  const own = orgId;
  file = join(home, 'orgs', `${other}.db`);
  expect(JSON.parse(JSON.stringify(shape()).replaceAll(other, own))).toEqual(changed);
});

test('a start that is killed in the middle leaves the file as it was, and the next one resumes', async () => {
  const before = rowsNow();
  const child = start('smaller-files.ts', { home, orgId, number: 15 });
  await child.says('half-way');
  child.process.kill('SIGKILL');
  await child.ended;
  expect(versions()).not.toContain(15);
  expect(rowsNow()).toEqual(before);
  await open();
  expect(versions()).toContain(15);
  expect(rowsNow()).toEqual(before);
});
