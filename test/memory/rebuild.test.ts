// Memory read anew from what it kept: what older programs did not make of a record is made, nothing else changes.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { factsOf } from '../../src/memory/clients/facts.ts';
import type { IngestBatch, Source } from '../../src/memory/memory.ts';
import { rebuildSome } from '../../src/memory/rebuild.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { type Ground, ground, json, mail } from './ground.ts';

let g: Ground;
beforeEach(async () => {
  g = await ground();
});
afterEach(() => g.close());

const wish = (body: string, id = 'wish@x') => mail({ id, subject: 'Our search', body });
const rebuildAll = async () => {
  let documents = 0;
  for (let after = ''; ; ) {
    const some = await g.memory.rebuild(g.org, after);
    if (some === undefined) return documents;
    documents += some.documents;
    after = some.after ?? after;
  }
};
const rows = () =>
  g.org.read((db) =>
    db
      .selectFrom('source_documents')
      .select(['external_id', 'title', 'text', 'people', 'facts', 'content_hash', 'written_at'])
      .select(['fetched_at', 'verified_at', 'thread_id', 'url', 'deleted_at'])
      .orderBy('id')
      .execute(),
  );
const values = () =>
  g.org.read(async (db) => {
    const ids = await db.selectFrom('client_intelligence').select('id').execute();
    return (
      await factsOf(
        g.org,
        db,
        ids.map(({ id }) => id),
      )
    ).map(({ value }) => value);
  });

test('facts that an older program did not make are made, and no document is another or younger', async () => {
  await g.memory.ingest(g.org, g.source, {
    records: [
      wish('We need three bedrooms.'),
      json('n1', 'note', {
        title: 'Keys',
        text: 'With the porter.',
        url: 'https://notes.test/1',
        at: '2026-02-01',
      }),
      { ...mail({ id: 'gone@x', body: 'Never mind.' }) },
    ],
  });
  await g.memory.ingest(g.org, g.source, { records: [], deleted: ['gone@x'] });
  await g.org.write((tx) => tx.deleteFrom('client_facts').execute());
  expect(await values()).toEqual([]);
  const before = await rows();
  g.clock.advance(3_600_000);
  expect(await rebuildAll()).toBe(2);
  expect(await values()).toContain('3 bedrooms');
  expect(await rows()).toEqual(before);
  // The same record, synced after that, is the one that is known.
  const { unchanged } = await g.memory.ingest(g.org, g.source, {
    records: [wish('We need three bedrooms.')],
  });
  expect(unchanged).toBe(1);
});

test('passages that were lost are found again', async () => {
  await g.memory.ingest(g.org, g.source, { records: [wish('The heating hums at night.')] });
  const ask = async () =>
    (await g.memory.search(g.org, { question: 'humming heating', limit: 5 })).passages.map(
      ({ text }) => text,
    );
  const found = await ask();
  expect(found).toHaveLength(1);
  await g.org.write((tx) => tx.deleteFrom('chunks').execute());
  await rebuildAll();
  expect(await ask()).toEqual(found);
});

test('a record that changed while it was read is left as it came, and one that went stays gone', async () => {
  await g.memory.ingest(g.org, g.source, {
    records: [wish('We need three bedrooms.'), wish('Any news?', 'other@x')],
  });
  const late = async (org: OrgStore, source: Source, batch: IngestBatch) => {
    await g.memory.ingest(g.org, g.source, {
      records: [wish('We need five bedrooms.')],
      deleted: ['other@x'],
    });
    return g.memory.ingest(org, source, batch);
  };
  expect(await rebuildSome(g.org, late, '')).toMatchObject({ documents: 0 });
  const stands = await rows();
  expect(stands.map(({ text }) => text)).toEqual([expect.stringContaining('five bedrooms'), '']);
  expect(stands[1]?.deleted_at).not.toBeNull();
});

test('a payload that cannot be read any more is named, and its document stays', async () => {
  await g.memory.ingest(g.org, g.source, { records: [wish('We need three bedrooms.')] });
  await g.org.write((tx) =>
    tx.updateTable('source_documents').set({ media_type: 'application/pdf' }).execute(),
  );
  const before = await rows();
  const told = await g.memory.rebuild(g.org, '');
  expect(told).toMatchObject({ documents: 0, rejected: [{ externalId: 'wish@x' }] });
  expect(await rows()).toEqual(before);
});
