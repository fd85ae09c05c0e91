// A home met in any source is one home, on every database: with its prices, where each was seen, and what speaks of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/audit/audit.ts';
import type { Person } from '../../../src/auth/principal.ts';
import { createLog } from '../../../src/log.ts';
import { createMemory } from '../../../src/memory/create.ts';
import type { Memory, Property, Source } from '../../../src/memory/memory.ts';
import { createHomeBook } from '../../../src/memory/properties/home-book.ts';
import type { Listing } from '../../../src/providers/capabilities.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount, json, mail, manualClock } from '../ground.ts';

const day = 86_400_000;

describe.each(databases)('on $name', (database) => {
  const clock = manualClock();
  let opened: OpenedDatabase;
  let memory: Memory;
  let org: OrgStore;
  let box: Source;
  let portal: Source;
  let files: Source;

  beforeAll(async () => {
    opened = await database.open();
    memory = createMemory({ clock, log: createLog({ level: 'silent' }) });
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    box = await connectAccount(org, 'con_box', 'me@agency.test', clock.now());
    portal = { ...(await connectAccount(org, 'con_portal', 'portal', clock.now())), provider: 'zillow' };
    files = { ...(await connectAccount(org, 'con_files', 'files', clock.now())), provider: 'files' };
  });
  afterAll(async () => {
    await memory.close();
    await opened.close();
  });

  async function home(key: { id?: string; address?: string }): Promise<Property> {
    const found = await memory.property(org, key);
    if (found === undefined) throw new Error(`no home ${JSON.stringify(key)}`);
    return found;
  }
  const seen = (listing: Partial<Listing> & { id: string; address: string }, source = portal) => {
    clock.advance(1_000);
    return memory.recordListings(org, source, [listing], true);
  };
  const prices = ({ priceHistory }: Property) =>
    priceHistory.map(({ price, seenIn }) => [price, ...seenIn.map(({ sighting }) => sighting.provider)]);

  test('an import, a portal and a mail are one home, and each price says where it was seen, once', async () => {
    await seen({
      id: 'z1',
      address: '12 Oak Street, Springfield, IL 62701',
      price: 500_000,
      currency: 'USD',
      beds: 3,
    });
    clock.advance(1_000);
    await memory.ingest(org, files, {
      records: [
        json('listing:a', 'listing', {
          facts: { id: 'a', address: '12 OAK ST.', city: 'Springfield', price: 500_000, beds: 4 },
        }),
      ],
    });
    clock.advance(5 * day);
    const mails = [
      mail({
        id: 'ask@x',
        subject: 'News',
        date: new Date(clock.now()).toUTCString(),
        body: 'Hello,\n12 Oak Street, Springfield is now asking $480,000. Shall we look?',
      }),
      mail({ id: 'plain@x', subject: 'Saturday', body: 'Can we see 12 Oak Street on Saturday?' }),
    ];
    await memory.ingest(org, box, { records: mails });
    await seen({
      id: 'z1',
      address: '12 Oak Street, Springfield, IL 62701',
      price: 480_000,
      currency: 'USD',
    });

    const found = await home({ id: 'z1' });
    expect(await home({ id: 'a' })).toEqual(found);
    expect(await home({ address: '12 oak st, springfield il' })).toEqual(found);
    expect(prices(found)).toEqual([
      [480_000, 'mailbox', 'zillow'],
      [500_000, 'zillow', 'files'],
    ]);
    const [cut] = found.priceHistory;
    expect(cut?.seenIn[0]?.sighting).toMatchObject({
      said: true,
      documentTitle: 'News',
      connectionId: 'con_box',
    });
    expect(cut?.currency).toBe('USD');
    expect(found.mentions.map(({ title }) => title).sort()).toEqual(['News', 'Saturday']);
    // What sources differ in stays to be seen, each with its own age and why it was joined.
    expect(
      found.sightings.map(({ provider, listing, joinedBy }) => [provider, listing.beds, joinedBy]),
    ).toEqual([
      ['zillow', 3, 'new'],
      ['mailbox', undefined, 'address'],
      ['files', 4, 'address'],
    ]);
    // Whoever writes a mail does not change what a home costs, or is said to be.
    expect(found.listing).toMatchObject({ id: 'z1', price: 480_000, beds: 3 });
    const search = { location: 'Springfield', status: 'for_sale' as const, page: 1 };
    expect(await memory.properties(org, search)).toEqual([]);
  });

  test('a deleted mail takes its price and its mention away, and a mail that is corrected its old price', async () => {
    const say = (price: string) =>
      mail({ id: 'elm@x', subject: 'Elm', body: `3 Elm Grove, Springfield is listed at $${price}.` });
    await memory.ingest(org, box, { records: [say('300,000')] });
    expect(prices(await home({ address: '3 Elm Grove' }))).toEqual([[300_000, 'mailbox']]);
    await memory.ingest(org, box, { records: [say('310,000')] });
    expect(prices(await home({ address: '3 Elm Grove' }))).toEqual([[310_000, 'mailbox']]);
    await seen({ id: 'z3', address: '3 Elm Grove, Springfield', price: 305_000 });
    await memory.ingest(org, box, { records: [], deleted: ['elm@x'] });
    const left = await home({ address: '3 Elm Grove' });
    expect(prices(left)).toEqual([[305_000, 'zillow']]);
    expect(left.mentions).toEqual([]);
    expect(left.sightings).toHaveLength(1);
  });

  test('a home of which nothing is left is gone, and a mention of it waits for it to come back', async () => {
    const listing = json('listing:b', 'listing', {
      facts: { id: 'b', address: '9 Ash Lane, Springfield', price: 1_000_000 },
    });
    await memory.ingest(org, box, {
      records: [mail({ id: 'ash@x', subject: 'Ash', body: 'Is 9 Ash Lane gone?' })],
    });
    expect(await memory.property(org, { address: '9 Ash Lane' })).toBeUndefined();
    await memory.ingest(org, files, { records: [listing] });
    expect((await home({ address: '9 Ash Lane' })).mentions).toMatchObject([
      { title: 'Ash', words: '9 Ash Lane' },
    ]);
    await memory.ingest(org, files, { records: [], deleted: ['listing:b'] });
    expect(await memory.property(org, { address: '9 Ash Lane' })).toBeUndefined();
    await memory.ingest(org, files, { records: [listing] });
    expect((await home({ id: 'b' })).mentions).toHaveLength(1);
  });

  test('flat 2 and flat 3 of one house stay two, and so do houses of one street in two towns', async () => {
    await seen({ id: 'f2', address: 'Flat 2, 7 High Street, Bristol BS8 1AA' });
    await seen({ id: 'f3', address: '7 High Street #3, Bristol BS8 1AA' });
    await seen({ id: 's1', address: '7 High Street, Shelbyville' });
    await seen({ id: 's2', address: '7 High Street, Springfield' });
    const ids = await Promise.all(['f2', 'f3', 's1', 's2'].map(async (id) => (await home({ id })).id));
    expect(new Set(ids).size).toBe(4);
    // The street line alone is two homes' own: none is guessed.
    expect(await memory.property(org, { address: '7 High Street' })).toBeUndefined();
    expect(await memory.property(org, { address: 'High Street' })).toBeUndefined();
  });

  test('a home that is listed again under another number keeps its history', async () => {
    await seen({ id: 'old', address: '5 Fir Road, Springfield', price: 200_000, mlsNumber: 'AC-100' });
    clock.advance(200 * day);
    await seen({ id: 'new', address: '5 Fir Rd, Springfield', price: 260_000, mlsNumber: 'AC-200' });
    const found = await home({ id: 'new' });
    expect(found.id).toBe((await home({ id: 'old' })).id);
    expect(prices(found)).toEqual([
      [260_000, 'zillow'],
      [200_000, 'zillow'],
    ]);
  });

  test('a parcel or MLS number joins what is written differently, and not another house that shares it by mistake', async () => {
    await seen({ id: 'p1', address: '1 Lake Way, Springfield', parcel: '04-1234-567' });
    await seen({ id: 'p2', address: '1 Lakeway, Springfield', parcel: 'APN 041234567' }, files);
    await seen({ id: 'm1', address: '2 Lake Way', city: 'Springfield', mlsNumber: 'MLS# 77123' });
    await seen({ id: 'm2', address: '2 Lake Way Unit', city: 'Springfield', mlsNumber: '77123' }, files);
    await seen({ id: 'm3', address: '40 Lake Way', city: 'Springfield', mlsNumber: '77123' }, files);
    const of = async (id: string) => (await home({ id })).id;
    expect(await of('p1')).toBe(await of('p2'));
    expect(await of('m1')).toBe(await of('m2'));
    expect(await of('m3')).not.toBe(await of('m1'));
    const joined = (await home({ id: 'p2' })).sightings.find((one) => one.externalId === 'p2');
    expect(joined).toMatchObject({ joinedBy: 'parcel', joinedWhy: 'the parcel number 041234567' });
  });

  test('what is hidden from a viewer counts for nothing: not its price, nor its mention, nor a home that it alone shows', async () => {
    await seen({ id: 'h1', address: '8 Yew Court, Springfield', price: 400_000 });
    await memory.ingest(org, box, {
      records: [
        mail({ id: 'yew@x', subject: 'Yew', body: '8 Yew Court is now asking $390,000.' }),
        mail({ id: 'bay@x', subject: 'Bay', body: '8 Bay Court, Springfield is now asking $190,000.' }),
      ],
    });
    expect(prices(await home({ id: 'h1' }))).toHaveLength(2);
    const agent = {
      ...org,
      viewer: { readerNames: undefined, hidden: { kinds: ['mail'], connections: [], labels: [] } },
    };
    const shown = await memory.property(agent, { id: 'h1' });
    expect(shown?.priceHistory.map(({ price }) => price)).toEqual([400_000]);
    expect(shown?.mentions).toEqual([]);
    expect(shown?.sightings).toHaveLength(1);
    expect(await memory.property(org, { address: '8 Bay Court' })).toBeDefined();
    expect(await memory.property(agent, { address: '8 Bay Court' })).toBeUndefined();
  });

  test('a deal and a file speak of a home, too; a deal with its address and price is a source of its own', async () => {
    await seen({ id: 'd1', address: '17 Birch Road, Springfield', price: 610_000, currency: 'USD' });
    const facts = {
      properties: {
        dealname: 'Sale',
        property_address: '17 Birch Rd, Springfield',
        asking_price: '$599,000',
      },
    };
    await memory.ingest(org, files, {
      records: [
        json('deals/1', 'deal', { title: 'Sale', text: 'deal: Sale', facts }),
        json('deals/2', 'deal', { title: 'Sale of 17 Birch Road', text: 'amount: 610000' }),
        {
          externalId: 'sheet.md',
          kind: 'file',
          mediaType: 'text/markdown',
          raw: Buffer.from('# Sheet\n\n17 Birch Road, Springfield was reduced to $605,000.'),
        },
      ],
    });
    const found = await home({ id: 'd1' });
    expect(found.priceHistory.map(({ price }) => price).sort()).toEqual([599_000, 605_000, 610_000]);
    expect(found.mentions.map(({ kind }) => kind).sort()).toEqual(['deal', 'file']);
    // What a deal is worth is not what the home costs, unless it says so.
    expect(found.priceHistory.find(({ price }) => price === 610_000)?.seenIn).toHaveLength(1);
  });

  test('a question about a home finds the mail that speaks of it, however either writes the address', async () => {
    const apart = await opened.store.forOrg(await opened.store.createOrg('Two'));
    const source = await connectAccount(apart, 'con_box', 'me@agency.test', clock.now());
    await memory.ingest(apart, source, {
      records: [
        mail({ id: 'ct@x', subject: 'Saturday', body: 'The visit to 21 Cedar Ct is on Saturday at noon.' }),
        mail({
          id: 'noise@x',
          subject: 'Cedar court',
          body: 'Cedar wood for the tennis court. A visit is a visit.',
        }),
        ...Array.from({ length: 12 }, (_, i) =>
          mail({
            id: `filler-${i}@x`,
            subject: `Lunch ${i}`,
            body: `Lunch on day ${i}, with soup, is at 1.`,
          }),
        ),
      ],
    });
    const first = async (understand: boolean) => {
      const { passages } = await memory.search(apart, {
        question: 'When is the visit to 21 Cedar Court?',
        limit: 5,
        ...(understand ? { understand: { now: clock.now(), timeZone: 'UTC' } } : {}),
      });
      return passages[0]?.title;
    };
    expect([await first(false), await first(true)]).toEqual(['Cedar court', 'Saturday']);
  });

  test('a person parts a wrong join and joins it again; a later sync changes neither, and it is on the record', async () => {
    const entries: AuditEntry[] = [];
    const book = createHomeBook({
      audit: {
        append: async (_tx, _org, _at, entry) => {
          entries.push(entry);
        },
      },
    });
    const { orgId } = org;
    const person = {
      kind: 'person',
      orgId,
      memberId: 'mem_1',
      name: 'Ann',
      role: 'owner',
    } as unknown as Person;
    const show = async () => {
      await seen({ id: 'w1', address: '4 Walnut Close, Springfield', price: 1_100_000 });
      await seen({ id: 'w2', address: '4 Walnut Cl, Springfield', price: 2_200_000 }, files);
    };
    await show();
    const whole = await home({ id: 'w1' });
    const wrong = whole.sightings.find(({ externalId }) => externalId === 'w2')?.id ?? '';
    const apart = await book.move(org, person, { sightingId: wrong, channel: 'terminal' });
    await show();
    expect(prices(await home({ id: 'w1' }))).toEqual([[1_100_000, 'zillow']]);
    expect(prices(await home({ id: 'w2' }))).toEqual([[2_200_000, 'files']]);
    expect((await home({ id: 'w2' })).id).toBe(apart.id);
    await book.move(org, person, { sightingId: wrong, to: whole.id, channel: 'terminal' });
    await show();
    const again = await home({ id: 'w2' });
    expect(again.id).toBe(whole.id);
    expect(again.sightings.map(({ joinedBy, joinedWhy }) => [joinedBy, joinedWhy])).toContainEqual([
      'person',
      'Ann, by hand',
    ]);
    // The home that was left empty is no home any more.
    expect(await memory.property(org, { id: apart.id })).toBeUndefined();
    expect(entries.map(({ kind }) => kind)).toEqual(['property.parted', 'property.joined']);
    const agent = { ...person, kind: 'agent' } as unknown as Person;
    await expect(book.move(org, agent, { sightingId: wrong, channel: 'mcp' })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(
      book.move(org, person, { sightingId: 'psg_none', channel: 'terminal' }),
    ).rejects.toMatchObject({ code: 'not_found' });
    expect((await book.list(org, { text: 'walnut', limit: 5 })).map(({ id }) => id)).toEqual([whole.id]);
  });

  test('listings that an older way of normalising keyed are joined when memory next reads', async () => {
    await seen({ id: 'o1', address: '6 Elder Terrace, Springfield', price: 100_000 });
    await seen({ id: 'o2', address: '6 Elder Ter., Springfield', price: 110_000 }, files);
    const first = (await home({ id: 'o1' })).id;
    await org.write(async (tx) => {
      const row = await tx
        .selectFrom('external_properties')
        .selectAll()
        .where('id', '=', first)
        .executeTakeFirstOrThrow();
      await tx
        .insertInto('external_properties')
        .values({ ...row, id: 'prp_apart' })
        .execute();
      await tx
        .updateTable('property_sightings')
        .set({ property_id: 'prp_apart' })
        .where('external_id', '=', 'o2')
        .execute();
      await tx
        .updateTable('property_sightings')
        .set({ reading: 0, line_key: null, address_key: 'old' })
        .where('external_id', 'in', ['o1', 'o2'])
        .execute();
    });
    const again = createMemory({ clock, log: createLog({ level: 'silent' }) });
    try {
      expect((await again.property(org, { id: 'o1' }))?.sightings).toHaveLength(2);
      expect((await again.property(org, { address: '6 Elder Ter, Springfield' }))?.sightings).toHaveLength(2);
    } finally {
      await again.close();
    }
  });
});
