// What a search reads beside the ranking: it is read while another thread ranks, and says what it said before.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSearch } from '../../src/memory/search.ts';
import { writeSetting } from '../../src/store/settings.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { type Ground, ground, mail } from './ground.ts';

let g: Ground;
beforeAll(async () => {
  g = await ground();
  await g.memory.ingest(g.org, g.source, {
    records: [
      mail({ from: 'Petra Keller <petra@keller.test>', subject: 'Offer', body: 'The offer stands.' }),
    ],
  });
});
afterAll(() => g.close());

test('whom a question means is found out while the index is asked', async () => {
  let asked = false;
  const readMeanwhile = Promise.withResolvers<void>();
  const org: OrgStore = {
    ...g.org,
    read(work) {
      if (asked) readMeanwhile.resolve();
      return g.org.read(work);
    },
  };
  const search = createSearch({
    clock: g.clock,
    index: {
      async search() {
        asked = true;
        // Whoever reads only after this answers never gets one.
        await readMeanwhile.promise;
        return [];
      },
      change: () => Promise.reject(new Error('not asked for here')),
      settle: () => undefined,
      settled: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  });
  const { client } = await search(org, { question: 'What did Petra Keller offer?', limit: 3 });
  expect(client?.name).toBe('Petra Keller');
});

test('a question without a time zone is understood in the one of the org', async () => {
  const now = Date.UTC(2026, 2, 2, 23, 30);
  const understood = async (timeZone?: string) => {
    const understand = timeZone === undefined ? { now } : { now, timeZone };
    return (await g.memory.search(g.org, { question: 'mail since yesterday', limit: 3, understand }))
      .understood;
  };
  await g.org.write((tx) =>
    writeSetting(tx, g.org.orgId, { name: 'time_zone', value: 'Pacific/Kiritimati', at: 1 }),
  );
  expect(await understood()).toEqual(await understood('Pacific/Kiritimati'));
  expect(await understood()).not.toEqual(await understood('Pacific/Honolulu'));
});
