// One ranking on every database: the same records give the same passages, numbers and scores.
import { expect, test } from 'vitest';
import type { IndexHit } from '../../../src/memory/index/search-index.ts';
import { databases } from '../../store/databases.ts';
import { connectAccount } from '../ground.ts';
import { answers, batches, ingestAll, small, world } from './world.ts';

test('the same records give the same numbers and scores on every database', async () => {
  const found: IndexHit[][][] = [];
  for (const database of databases) {
    const opened = await database.open();
    const one = world(small);
    try {
      const org = await opened.store.forOrg(await opened.store.createOrg('One'));
      await connectAccount(org, 'con_1', 'me@agency.test', 0);
      await ingestAll(one, org, { connectionId: 'con_1', provider: 'mailbox' }, batches(7, 12));
      found.push(await answers(one.index, org));
    } finally {
      await one.close();
      await opened.close();
    }
  }
  expect(found[0]?.flat().length).toBeGreaterThan(50);
  for (const other of found) expect(other).toEqual(found[0]);
});
