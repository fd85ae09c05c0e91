import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from './databases.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let org: OrgStore;

  beforeAll(async () => {
    opened = await database.open();
    org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
  });
  afterAll(() => opened.close());

  const lease = (name: string) => ({ org_id: org.orgId, name, owner: 'a', fencing: 1, until: 5 });

  test('what a write committed is read', async () => {
    const inserted = await org.write((tx) =>
      tx.insertInto('leases').values(lease('kept')).executeTakeFirst(),
    );
    expect(inserted.numInsertedOrUpdatedRows).toBe(1n);
    const row = await org.read((db) =>
      db.selectFrom('leases').selectAll().where('name', '=', 'kept').executeTakeFirst(),
    );
    expect(row).toEqual(lease('kept'));
  });
});
