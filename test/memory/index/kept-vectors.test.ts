// Vectors kept in memory: they are those of the store, whatever came, went and was folded since they were read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { staticEn } from '../../../src/memory/embed/static-en.ts';
import { OrgIndex } from '../../../src/memory/index/org-index.ts';
import { createRowsOpener } from '../../../src/memory/index/rows.sql.ts';
import { createSearcher, signatureBytes } from '../../../src/memory/index/searcher.ts';
import { createStored, type Stored } from '../../../src/memory/index/stored.sql.ts';
import { createStoredVectors } from '../../../src/memory/index/stored-vectors.ts';
import type { DocumentKind } from '../../../src/providers/record.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount } from '../ground.ts';
import { batches, ingestAll, small, type World, world } from './world.ts';

const { name, dimensions } = staticEn;
const source = { connectionId: 'con_1', provider: 'mailbox' };
const query = Float32Array.from({ length: dimensions }, (_, d) => Math.sin(d) / Math.sqrt(dimensions / 2));

let opened: OpenedDatabase;
let one: World;
beforeAll(async () => {
  const sqlite = databases.find((database) => database.name.toLowerCase().includes('sqlite'));
  if (sqlite === undefined) throw new Error('no SQLite among the databases');
  opened = await sqlite.open();
  one = world(small);
});
afterAll(async () => {
  await one.close();
  await opened.close();
});

async function newOrg(): Promise<OrgStore> {
  const org = await opened.store.forOrg(await opened.store.createOrg('One'));
  await connectAccount(org, 'con_1', 'me@agency.test', 0);
  return org;
}

/** Asks for the cosines of all living chunks; `asked` grows by the rows that are read for it. */
function asker(org: OrgStore, bytes?: { all: number; some: number }) {
  const opener = createRowsOpener();
  const index = new OrgIndex();
  const vectors = createStoredVectors(name, dimensions, bytes === undefined ? {} : { bytes });
  const counts = { asked: 0 };
  const within = <Result>(work: (stored: Stored) => Result): Result =>
    opener.within({ file: org.file ?? '' }, (rows) => {
      const read = createStored(rows, org.orgId);
      return work({
        ...read,
        vectors(model, seqs) {
          counts.asked += seqs.length;
          return read.vectors(model, seqs);
        },
      });
    });
  const cosines = () =>
    within((stored) => {
      index.update(stored);
      const slots = [...index.slots.alive.subarray(0, index.slots.count).keys()].filter(
        (slot) => index.slots.alive[slot] === 1,
      );
      const found = vectors.arm(index, stored)?.cosines(query, slots) ?? [];
      return Object.fromEntries(slots.map((slot, i) => [index.slots.seqs.at(slot), found[i]]));
    });
  const arm = () =>
    within((stored) => {
      index.update(stored);
      vectors.arm(index, stored);
    });
  /** @returns whether there is more to read */
  const readAhead = () => within((stored) => vectors.readAhead(index, stored));
  return { counts, cosines, arm, readAhead };
}

test('a vector that is asked for again costs no row', async () => {
  const org = await newOrg();
  await ingestAll(one, org, source, batches(7, 12));
  const { counts, cosines } = asker(org);
  const first = cosines();
  expect(Object.values(first).some((cosine) => cosine !== 0)).toBe(true);
  expect(counts.asked).toBeGreaterThan(0);
  counts.asked = 0;
  expect(cosines()).toEqual(first);
  expect(counts.asked).toBe(0);
});

test('what was read ahead is what a question would have read, and costs it no row', async () => {
  const org = await newOrg();
  await ingestAll(one, org, source, batches(7, 12));
  const { counts, cosines, arm, readAhead } = asker(org);
  arm();
  while (readAhead());
  expect(readAhead()).toBe(false);
  expect(cosines()).toEqual(asker(org).cosines());
  expect(counts.asked).toBe(0);
});

test.each([
  ['all have room', undefined],
  ['few have room', { all: 0, some: 7 * dimensions }],
  ['there is no longer room for all', { all: 40 * dimensions, some: 7 * dimensions }],
])('what is kept is what is stored, while chunks come, go and are folded: %s', async (_, bytes) => {
  const org = await newOrg();
  const { cosines, readAhead } = asker(org, bytes);
  for (const batch of batches(3, 14)) {
    await ingestAll(one, org, source, [batch]);
    // Of what was there before: what came and went since is not known yet.
    readAhead();
    expect(cosines()).toEqual(asker(org).cosines());
  }
  expect(Object.keys(cosines()).length).toBeGreaterThan(20);
});

test('after a question the others are read ahead, whatever it asked for', async () => {
  const org = await newOrg();
  await ingestAll(one, org, source, batches(7, 12));
  const vectorsOf = async (search: ReturnType<typeof createSearcher>, kind: DocumentKind) => {
    const asked = { text: 'roof kitchen', terms: ['roof', 'kitchen'], phrases: [] };
    const query = { ...asked, filters: { kinds: [kind] }, limit: 50, offset: 0, maxSeq: 1e9 };
    const { hits } = await search({ access: { file: org.file ?? '' }, orgId: org.orgId, query });
    return hits.map(({ parts }) => parts.vectors);
  };
  const expected = await vectorsOf(createSearcher(), 'chat');
  expect(expected.some((share) => share > 0)).toBe(true);
  const search = createSearcher();
  await vectorsOf(search, 'note');
  // Its step was put there before this one.
  await new Promise((resolve) => setImmediate(resolve));
  await org.write((tx) => tx.deleteFrom('built_in_vectors').where('org_id', '=', org.orgId).execute());
  expect(await vectorsOf(search, 'chat')).toEqual(expected);
});

test('signatures that are not kept are read for each question, and the answer is the same', async () => {
  const org = await newOrg();
  await ingestAll(one, org, source, batches(7, 14));
  const opener = createRowsOpener();
  const nearest = (signatureBytes?: number) => {
    const index = new OrgIndex();
    const vectors = createStoredVectors(
      name,
      dimensions,
      signatureBytes === undefined ? {} : { signatureBytes },
    );
    let read = 0;
    const ask = () =>
      opener.within({ file: org.file ?? '' }, (rows) => {
        const stored = createStored(rows, org.orgId);
        index.update(stored);
        const signatures = (model: string, block: number) => {
          read += 1;
          return stored.signatures(model, block);
        };
        return vectors.arm(index, { ...stored, signatures })?.nearest(query, 10);
      });
    ask();
    read = 0;
    return { found: ask(), read };
  };
  const all = nearest();
  expect(all.found?.length).toBe(10);
  expect(all.read).toBe(0);
  const none = nearest(0);
  expect(none.found).toEqual(all.found);
  expect(none.read).toBeGreaterThan(0);
});

test('of a file the search keeps no more signatures than its bound', async () => {
  const org = await newOrg();
  await ingestAll(one, org, source, batches(7, 14));
  const asked = { text: 'roof kitchen', terms: ['roof', 'kitchen'], phrases: [] };
  const task = {
    access: { file: org.file ?? '' },
    orgId: org.orgId,
    query: { ...asked, filters: {}, limit: 50, offset: 0, maxSeq: 1e9 },
  };
  const few = createSearcher({ signatureBytes: 0 });
  const { hits } = await few(task);
  expect(hits).toEqual((await createSearcher()(task)).hits);
  await org.write((tx) => tx.deleteFrom('search_signatures').where('org_id', '=', org.orgId).execute());
  await expect(few(task)).rejects.toThrow('signatures of block');
  // Half a million vectors of the built-in model, of 32 bytes each.
  expect(signatureBytes).toBeLessThanOrEqual(16_000_000);
});
