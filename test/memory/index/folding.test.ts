// What is folded, merged, changed and gone answers exactly as what was never folded, in every process and on
// every database.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plainPage } from '../../../src/memory/index/pages.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount, json } from '../ground.ts';
import { answers, ask, batches, ingestAll, never, small, type World, world } from './world.ts';

const rounds = 14;

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let folding: World;
  let loose: World;
  beforeAll(async () => {
    opened = await database.open();
    folding = world(small);
    loose = world(never);
  });
  afterAll(async () => {
    await folding.close();
    await loose.close();
    await opened.close();
  });

  const newOrg = async (): Promise<OrgStore> => {
    const org = await opened.store.forOrg(await opened.store.createOrg('One'));
    await connectAccount(org, 'con_1', 'me@agency.test', 0);
    return org;
  };
  const source = { connectionId: 'con_1', provider: 'mailbox' };
  const count = (org: OrgStore, table: 'search_runs' | 'search_blocks' | 'search_gone') =>
    org.read(async (db) => (await db.selectFrom(table).selectAll().execute()).length);

  test.each([1, 2])('a folded index gives the seqs and scores of one that never was (%i)', async (seed) => {
    const [folded, plain] = [await newOrg(), await newOrg()];
    const all = [...batches(seed, rounds)];
    for (const [i, batch] of all.entries()) {
      await ingestAll(folding, folded, source, [batch]);
      await ingestAll(loose, plain, source, [batch]);
      // One that looks all the time, and must not be left behind.
      if (i % 5 === 0)
        expect(await answers(folding.index, folded)).toEqual(await answers(loose.index, plain));
    }
    const expected = await answers(loose.index, plain);
    expect(expected.every((hits) => hits.length > 0)).toBe(true);
    expect(await answers(folding.index, folded)).toEqual(expected);
    const fresh = world(never);
    try {
      expect(await answers(fresh.index, folded)).toEqual(expected);
    } finally {
      await fresh.close();
    }
    expect(await count(folded, 'search_blocks')).toBeGreaterThan(3);
    expect(await count(folded, 'search_runs')).toBeLessThan(await count(folded, 'search_blocks'));
    expect(await count(plain, 'search_blocks')).toBe(0);
  });

  test('when much of a run is gone, nothing is left of what its chunks said', async () => {
    const org = await newOrg();
    const ids = Array.from({ length: 60 }, (_, i) => `k${i}`);
    const records = ids.map((id, i) =>
      json(id, 'note', { text: i % 2 === 0 ? `secretword${i} roof` : 'roof and garden' }),
    );
    await ingestAll(folding, org, source, [{ records, deleted: [] }]);
    const held = async () => {
      const pages = await org.read((db) => db.selectFrom('search_pages').select('bytes').execute());
      return pages.some(({ bytes }) => Buffer.from(plainPage(bytes)).includes('secretword'));
    };
    expect(await held()).toBe(true);
    const deleted = ids.filter((_, i) => i % 2 === 0);
    await ingestAll(folding, org, source, [{ records: [], deleted }]);
    // Folding looks at what is gone when the next chunks come.
    const more = Array.from({ length: 12 }, (_, i) => json(`m${i}`, 'note', { text: `window ${i}` }));
    await ingestAll(folding, org, source, [{ records: more, deleted: [] }]);
    expect(await held()).toBe(false);
    const hits = await ask(folding.index, org, { terms: ['roof'], filters: {} });
    expect(hits.filter((hit) => hit.parts.body > 0)).toHaveLength(30);
    expect(await ask(folding.index, org, { terms: ['roof'], filters: {} })).toEqual(
      await ask(loose.index, org, { terms: ['roof'], filters: {} }),
    );
  });

  test('the next search finds what was just written, and not what was just deleted', async () => {
    const org = await newOrg();
    await ingestAll(folding, org, source, batches(9, 12));
    const { memory } = folding;
    const found = async () =>
      (await ask(folding.index, org, { terms: ['zebra'], filters: {} }))[0]?.parts.body ?? 0;
    const record = {
      externalId: 'z',
      kind: 'note' as const,
      mediaType: 'text/plain' as const,
      raw: Buffer.from('A zebra.'),
    };
    expect(await found()).toBe(0);
    await memory.ingest(org, source, { records: [record] });
    expect(await found()).toBeGreaterThan(0);
    await memory.ingest(org, source, { records: [], deleted: ['z'] });
    expect(await found()).toBe(0);
  });
});
