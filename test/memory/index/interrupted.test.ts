// A folding that dies at any of its transactions loses nothing and doubles nothing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { staticEn } from '../../../src/memory/embed/static-en.ts';
import { createFolding } from '../../../src/memory/index/fold.ts';
import { createReader } from '../../../src/memory/reader.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount, manualClock } from '../ground.ts';
import { answers, batches, ingestAll, never, small, type World, world } from './world.ts';

const log = createLog({ level: 'silent' });

/** The org's store as a process sees it that dies at its write number `last` + 1. */
function dying(org: OrgStore, last: number): { org: OrgStore; writes(): number } {
  let writes = 0;
  const dead: OrgStore = {
    ...org,
    async write(work) {
      writes += 1;
      if (writes > last) throw new Error('killed');
      return org.write(work);
    },
  };
  return { org: dead, writes: () => writes };
}

/** Every chunk stands in one block at most, those up to what is folded in one; and no page is without its run. */
async function expectWhole(org: OrgStore): Promise<void> {
  await org.read(async (db) => {
    const blocks = await db.selectFrom('search_blocks').selectAll().orderBy('first_seq').execute();
    const runs = await db.selectFrom('search_runs').selectAll().orderBy('first_seq').execute();
    for (const rows of [blocks, runs])
      rows.forEach((row, i) => {
        expect(row.first_seq).toBeGreaterThan(rows[i - 1]?.last_seq ?? 0);
      });
    const slots = (rows: { slots: number }[]) => rows.reduce((sum, row) => sum + row.slots, 0);
    expect(slots(runs)).toBe(slots(blocks));
    const state = await db.selectFrom('search_state').selectAll().executeTakeFirstOrThrow();
    expect(blocks.at(-1)?.last_seq ?? 0).toBeLessThanOrEqual(state.folded_seq);
    const known = new Set(runs.map((run) => run.id));
    const pages = await db.selectFrom('search_pages').select('run').execute();
    expect(pages.filter((page) => !known.has(page.run))).toEqual([]);
    const ids = new Set(blocks.map((block) => block.id));
    for (const table of ['search_columns', 'search_signatures'] as const) {
      const parts = await db.selectFrom(table).select('block').execute();
      expect(parts.filter((part) => !ids.has(part.block))).toEqual([]);
      expect(parts.length).toBe(ids.size);
    }
  });
}

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let asking: World;
  const clock = manualClock();
  beforeAll(async () => {
    opened = await database.open({ clock });
    asking = world(never, clock);
  });
  afterAll(async () => {
    await asking.close();
    await opened.close();
  });

  test('killed at each of its transactions in turn, it answers the same, and ends whole', async () => {
    const org = await opened.store.forOrg(await opened.store.createOrg('One'));
    await connectAccount(org, 'con_1', 'me@agency.test', 0);
    await ingestAll(asking, org, { connectionId: 'con_1', provider: 'mailbox' }, batches(5, 14));
    const expected = await answers(asking.index, org);
    const models = [{ name: staticEn.name, dimensions: staticEn.dimensions }];
    const background = createReader({ clock, log });
    const folding = createFolding({ clock, log, models, background }, small);
    try {
      let died = true;
      for (let last = 0; died; last += 1) {
        const process = dying(org, last);
        folding.settle(process.org, small.due);
        await folding.settled();
        expect(await answers(asking.index, org)).toEqual(expected);
        died = process.writes() > last;
        // Its lease runs out; a real PostgreSQL keeps its own time.
        clock.advance(61_000);
        await org.write((tx) => tx.updateTable('leases').set({ until: 0 }).execute());
        expect(last).toBeLessThan(200);
      }
      await expectWhole(org);
      const fresh = world(never, clock);
      expect(await answers(fresh.index, org)).toEqual(expected);
      await fresh.close();
    } finally {
      await background.close();
      await folding.close();
    }
  });
});
