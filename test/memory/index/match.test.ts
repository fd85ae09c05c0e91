// What PostgreSQL answers by pgvector: the same as the embedded path, as many as were asked for, and an org's own alone.
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadStaticEn } from '../../../src/memory/embed/static-en.ts';
import { cosineWith } from '../../../src/memory/index/signatures.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import type { OrgTables } from '../../../src/store/tables.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount, json, mail } from '../ground.ts';
import { never, type World, world } from './world.ts';

const texts = [
  'The buyer wants to lower the price of the apartment by ten percent.',
  'Please repair the heating before the winter, the rooms are cold.',
  'The meeting with the architect was moved to Thursday afternoon.',
  'Your invoice for the photographs is attached, payable within thirty days.',
  'The garden has old apple trees and a small pond.',
  'Our bank approved the mortgage; the contract can be signed.',
];

interface Match {
  chunk_id: string;
  document_id: string;
  content: string;
  similarity: number;
}

describe.each(databases.filter(({ dialect }) => dialect === 'postgres'))('on $name', (database) => {
  let opened: OpenedDatabase;
  let one: World;
  let org: OrgStore;
  let other: OrgStore;
  let there = false;

  beforeAll(async () => {
    opened = await database.open();
    one = world(never);
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    other = await opened.store.forOrg(await opened.store.createOrg('Two'));
    for (const each of [org, other]) {
      await connectAccount(each, 'con_1', 'me@agency.test', 0);
      await connectAccount(each, 'con_2', 'two@agency.test', 0);
    }
    const first = { connectionId: 'con_1', provider: 'mailbox' };
    const second = { connectionId: 'con_2', provider: 'mailbox' };
    await one.memory.ingest(org, first, {
      records: [
        ...texts.map((text, i) => json(`n${i}`, 'note', { text })),
        mail({ id: 'a@x', from: 'Anna Berg <anna@berg.test>', body: 'Could you make the rooms warmer?' }),
        mail({ id: 'b@x', from: 'Bob Lee <bob@lee.test>', body: 'The painting of the fence is done.' }),
        ...Array.from({ length: 60 }, (_, i) =>
          json(`f${i}`, 'note', { text: `Heating, radiator and winter ${i}` }),
        ),
      ],
    });
    await one.memory.ingest(org, second, {
      records: texts.map((text, i) => json(`s${i}`, 'note', { text: `${text} Kind regards.` })),
    });
    await one.memory.ingest(other, first, { records: [json('o', 'note', { text: texts[1] ?? '' })] });
    const found = await org.read((db) =>
      sql<{ found: number }>`select 1 as found where to_regclass('search_halfvecs') is not null`.execute(db),
    );
    there = found.rows.length > 0;
  });
  afterAll(async () => {
    await one.close();
    await opened.close();
  });

  const vectorOf = async (question: string) => {
    const vector = (await loadStaticEn()).question(question);
    if (vector === undefined) throw new Error('no known word');
    return vector;
  };
  const match = (
    db: Kysely<OrgTables>,
    vector: Float32Array,
    of: { orgId: string },
    more: { k: number; source?: string; least?: number },
  ) =>
    sql<Match>`select * from match_source_documents(${JSON.stringify([...vector])}::vector, ${more.k}, ${of.orgId},
      ${more.source ?? null}, ${more.least ?? -1})`
      .execute(db)
      .then(({ rows }) => rows);

  test('is made where pgvector is', () => {
    if (database.name === 'PGlite') expect(there).toBe(true);
  });

  test('the chunks are those of the embedded path, in its order, with its similarity', async (context) => {
    if (!there) return context.skip();
    const vector = await vectorOf('Is it warm enough in the flat?');
    const stored = await org.read((db) =>
      db
        .selectFrom('chunk_vectors as v')
        .innerJoin('chunks as c', 'c.seq', 'v.seq')
        .select(['c.id', 'v.vector', 'c.seq'])
        .execute(),
    );
    const exact = stored
      .map(({ id, seq, vector: bytes }) => ({
        id,
        seq,
        near: cosineWith(vector, new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)),
      }))
      .sort((a, b) => b.near - a.near || a.seq - b.seq);
    const found = await org.read((db) => match(db, vector, org, { k: 8 }));
    expect(found).toHaveLength(8);
    found.forEach((row, i) => {
      expect(row.similarity).toBeCloseTo(exact[i]?.near ?? 0, 3);
    });
    const top = found.filter((_, i) => (exact[i]?.near ?? 0) - (exact[i + 1]?.near ?? 0) > 0.002);
    for (const row of top) expect(exact.slice(0, 8).map((one) => one.id)).toContain(row.chunk_id);
  });

  test('as many come back as were asked for, under any filter, and none below the least similarity', async (context) => {
    if (!there) return context.skip();
    const vector = await vectorOf('winter heating radiator');
    const narrow = await org.read((db) => match(db, vector, org, { k: 6, source: 'con_2' }));
    expect(narrow).toHaveLength(6);
    expect(narrow.every((row) => row.content.endsWith('Kind regards.'))).toBe(true);
    const least = narrow[2]?.similarity ?? 0;
    const few = await org.read((db) => match(db, vector, org, { k: 6, source: 'con_2', least }));
    expect(few).toHaveLength(3);
  });

  test('no org is told of another, whatever it says it is', async (context) => {
    if (!there) return context.skip();
    const vector = await vectorOf('winter heating');
    expect(await other.read((db) => match(db, vector, other, { k: 50 }))).toHaveLength(1);
    expect(await other.read((db) => match(db, vector, org, { k: 50 }))).toEqual([]);
  });

  test('clients come by what concerns them, and what is deleted is in no answer', async (context) => {
    if (!there) return context.skip();
    const vector = await vectorOf('cold rooms');
    const clients = async () => {
      const { rows } = await org.read((db) =>
        sql<{
          name: string;
        }>`select * from match_client_intelligence(${JSON.stringify([...vector])}::vector, 5, ${org.orgId})`.execute(
          db,
        ),
      );
      return rows.map((row) => row.name);
    };
    expect((await clients())[0]).toBe('Anna Berg');
    await one.memory.ingest(
      org,
      { connectionId: 'con_1', provider: 'mailbox' },
      { records: [], deleted: ['a@x', 'n1'] },
    );
    expect(await clients()).not.toContain('Anna Berg');
    const found = await org.read((db) => match(db, vector, org, { k: 100 }));
    expect(found.map((row) => row.content)).not.toContain(texts[1]);
  });
});
