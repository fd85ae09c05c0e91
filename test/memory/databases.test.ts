// The first promises of memory on every database that the store runs on: found, scoped, forgotten, and no org
// sees another's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { connectAccount, json, mail, manualClock } from './ground.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let memory: Memory;
  let org: OrgStore;
  let other: OrgStore;
  let source: Source;

  beforeAll(async () => {
    const clock = manualClock();
    opened = await database.open();
    memory = createMemory({ clock, log: createLog({ level: 'silent' }) });
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    other = await opened.store.forOrg(await opened.store.createOrg('Two'));
    source = await connectAccount(org, 'con_1', 'me@agency.test', clock.now());
  });
  afterAll(async () => {
    await memory.close();
    await opened.close();
  });

  const ask = async (question: string, more: object = {}) =>
    (await memory.search(org, { question, limit: 10, ...more })).passages.map((one) => one.text);

  test('mail is stored, found by its words, scoped by its people, and deleted', async () => {
    const records = [
      mail({ id: 'a@x', subject: 'Roof', body: "The roofer's offer for the houses is $12,500." }),
      mail({
        id: 'b@x',
        subject: 'Re: Roof',
        from: 'Bob Lee <bob@lee.test>',
        headers: ['References: <a@x>'],
        body: 'Take it, the offer is good.',
      }),
      json('n', 'note', { title: 'メモ', text: '来週の会議で契約について相談する。' }),
      ...Array.from({ length: 8 }, (_, i) => json(`f${i}`, 'note', { text: `Something else, number ${i}.` })),
    ];
    expect(await memory.ingest(org, source, { records, cursor: { feed: 'f', value: 1 } })).toMatchObject({
      inserted: 11,
    });
    expect(await memory.ingest(org, source, { records })).toMatchObject({ unchanged: 11 });
    expect((await ask('offer for a house'))[0]).toContain('roofer');
    expect(await ask('契約')).toHaveLength(1);
    expect(await ask('offer', { clients: ['Bob Lee'] })).toEqual(['Take it, the offer is good.']);
    expect(await ask('offer', { threadId: '<a@x>', kinds: ['mail'] })).toHaveLength(2);
    expect(await memory.cursor(org, 'con_1', 'f')).toBe(1);
    expect(await memory.stats(org)).toMatchObject({ documents: 11, clients: 2 });

    await memory.ingest(org, source, { records: [], deleted: ['a@x'] });
    expect(await ask('roofer')).toEqual([]);
    const complete = { ids: records.map((record) => record.externalId).filter((id) => id !== 'n') };
    expect(await memory.ingest(org, source, { records: [], complete })).toMatchObject({ deleted: 1 });
    expect((await memory.clients(org, { words: 'bob', limit: 5 })).map((one) => one.name)).toEqual([
      'Bob Lee',
    ]);
    expect(await memory.clients(org, { words: 'anna', limit: 5 })).toEqual([]);
  });

  test('another org finds nothing of it, by question or by id', async () => {
    const { passages } = await memory.search(org, { question: 'offer', limit: 1 });
    expect(passages).toHaveLength(1);
    expect((await memory.search(other, { question: 'offer', limit: 5 })).passages).toEqual([]);
    expect((await memory.search(other, { question: 'Bob Lee', limit: 5 })).client).toBeUndefined();
    await expect(memory.document(other, passages[0]?.documentId ?? '')).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await memory.stats(other)).toMatchObject({ documents: 0, chunks: 0, clients: 0 });
  });

  test('listings keep every price with the day it was seen', async () => {
    const listing = {
      id: 'z1',
      address: '12 Oak Street',
      city: 'Springfield',
      status: 'for_sale',
      price: 500_000,
    };
    const history = [{ at: Date.UTC(2020, 0, 1), event: 'Sold', price: 300_000 }];
    await memory.recordListings(org, source, [{ ...listing, priceHistory: history }], true);
    await memory.recordListings(org, source, [{ ...listing, priceHistory: history }], true);
    await memory.recordListings(org, source, [{ ...listing, price: 480_000 }], false);
    const found = await memory.property(org, { address: '12 oak st., springfield'.split(',')[0] ?? '' });
    expect(found?.detailedAt).toBeDefined();
    expect(found?.listing.price).toBe(480_000);
    expect(found?.priceHistory.map((row) => row.price).sort()).toEqual([300_000, 480_000, 500_000]);
    const search = { location: 'Springfield', status: 'for_sale' as const, page: 1 };
    expect(await memory.properties(org, { ...search, maxPrice: 490_000 })).toHaveLength(1);
    expect(await memory.properties(org, { ...search, maxPrice: 400_000 })).toHaveLength(0);
    expect(await memory.property(other, { id: 'z1' })).toBeUndefined();
  });

  test('each sees what names them, and nothing that is hidden from them', async () => {
    const note = (id: string, more: object) => ({
      ...json(id, 'note', { title: id, text: 'A 100%_sure thing.' }),
      ...more,
    });
    await memory.ingest(org, source, {
      records: [
        note('everybodys', {}),
        note('anns', { readers: ['ann%@agency.test'] }),
        note('wild', { readers: ['annx@agency.test'] }),
        note('filed', { labels: ['Top_Secret'] }),
      ],
    });
    const seen = async (readerNames: string[] | undefined, labels: string[]) => {
      const as = { ...org, viewer: { readerNames, hidden: { kinds: [], connections: [], labels } } };
      const { passages } = await memory.search(as, { question: 'sure thing', limit: 10 });
      const listed = await memory.documents(as, { limit: 100 });
      const found = passages.map(({ title }) => title).sort();
      const ours = ['anns', 'everybodys', 'filed', 'wild'];
      expect(
        listed
          .map(({ title }) => title)
          .filter((title) => ours.includes(title))
          .sort(),
      ).toEqual(found);
      return found;
    };
    expect(await seen(undefined, [])).toEqual(['anns', 'everybodys', 'filed', 'wild']);
    expect(await seen(['ann%@agency.test'], [])).toEqual(['anns', 'everybodys', 'filed']);
    expect(await seen([], ['top_secret'])).toEqual(['everybodys']);
    expect(await seen(undefined, ['topxsecret'])).toEqual(['anns', 'everybodys', 'filed', 'wild']);
  });
});
