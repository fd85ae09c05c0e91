// Vectors that are read while nobody asks: a question then finds them in memory, and the same ones.
import { expect, test } from 'vitest';
import { staticEn } from '../../../src/memory/embed/static-en.ts';
import { OrgIndex } from '../../../src/memory/index/org-index.ts';
import { createRowsOpener } from '../../../src/memory/index/rows.sql.ts';
import { createStored, type Stored } from '../../../src/memory/index/stored.sql.ts';
import { createStoredVectors } from '../../../src/memory/index/stored-vectors.ts';
import { databases } from '../../store/databases.ts';
import { connectAccount } from '../ground.ts';
import { batches, ingestAll, small, world } from './world.ts';

test('what was read ahead is what a question would have read, and is not read again', async () => {
  const sqlite = databases.find(({ name }) => name.toLowerCase().includes('sqlite'));
  if (sqlite === undefined) throw new Error('no SQLite among the databases');
  const opened = await sqlite.open();
  const one = world(small);
  try {
    const org = await opened.store.forOrg(await opened.store.createOrg('One'));
    await connectAccount(org, 'con_1', 'me@agency.test', 0);
    await ingestAll(one, org, { connectionId: 'con_1', provider: 'mailbox' }, batches(7, 12));
    const { name, dimensions } = staticEn;
    const query = Float32Array.from({ length: dimensions }, (_, d) => Math.sin(d));
    createRowsOpener().within({ file: org.file ?? '' }, (rows) => {
      const stored = createStored(rows, org.orgId);
      const index = new OrgIndex();
      index.update(stored);
      const slots = [...index.slots.alive.subarray(0, index.slots.count).keys()].filter(
        (slot) => index.slots.alive[slot] === 1,
      );
      const read = createStoredVectors(name, dimensions).arm(index, stored)?.cosines(query, slots);

      let asked = 0;
      const counted: Stored = {
        ...stored,
        vectors(model, seqs) {
          asked += seqs.length;
          return stored.vectors(model, seqs);
        },
      };
      const ahead = createStoredVectors(name, dimensions);
      ahead.arm(index, counted);
      while (ahead.fill(index, counted));
      expect(ahead.fill(index, counted)).toBe(false);
      expect(ahead.arm(index, counted)?.cosines(query, slots)).toEqual(read);
      expect(asked).toBe(0);
      expect(read?.some((cosine) => cosine !== 0)).toBe(true);
    });
  } finally {
    await one.close();
    await opened.close();
  }
});
