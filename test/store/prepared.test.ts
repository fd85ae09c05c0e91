// What is compiled once still asks what it is given, on each database.
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepared } from '../../src/store/prepared.ts';
import type { ControlTables } from '../../src/store/tables.ts';
import { databases, type OpenedDatabase } from './databases.ts';

describe.each(databases)('$name', (database) => {
  let opened: OpenedDatabase;
  beforeAll(async () => {
    opened = await database.open();
  });
  afterAll(() => opened.close());

  test('a prepared query is built once, and answers each time for the values of that time', async () => {
    const { store } = opened;
    const first = await store.createOrg('First');
    const second = await store.createOrg('Second');
    let built = 0;
    const named = prepared((db: Kysely<ControlTables>, { name, id }: { name: string; id: string }) => {
      built += 1;
      return db
        .selectFrom('orgs')
        .select(['id', 'name'])
        .where('name', '=', name)
        .where('created_at', '>', 0)
        .where('id', '=', id);
    });
    const ask = (name: string, id: string) => store.control.read((db) => named(db, { id, name }));

    expect(await ask('First', first)).toEqual([{ id: first, name: 'First' }]);
    expect(await ask('Second', second)).toEqual([{ id: second, name: 'Second' }]);
    expect(await ask('First', second)).toEqual([]);
    expect(await ask("Second' or '1' = '1", second)).toEqual([]);
    expect(built).toBe(1);

    const other = await opened.again();
    expect(await other.control.read((db) => named(db, { id: second, name: 'Second' }))).toEqual([
      { id: second, name: 'Second' },
    ]);
    await other.close();
  });
});
