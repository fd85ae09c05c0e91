// One home as an agent is shown it: with each source's age and what it says otherwise, where each price was seen,
// and the mail that speaks of it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/connections/connections.ts';
import { type Office, openOffice, textOf } from './office.ts';

let office: Office;
let files: Connection;
const day = 86_400_000;
const heron = '20010014';

interface Detail {
  listing: { id: string; address: string; price?: number; beds?: number };
  priceHistory: { price: number; source: string; seenIn: { source: string; uri?: string; url?: string }[] }[];
  sources?: { source: string; age: string; joinedBy: string; says?: Record<string, unknown> }[];
  mentionedIn?: { uri: string; kind: string; title: string }[];
  freshness: string;
  note?: string;
}

async function detail(input: object): Promise<Detail & { text: string }> {
  const result = await office.call('property-detail', input);
  expect(result.isError, textOf(result)).toBeUndefined();
  return { ...(result.structuredContent as unknown as Detail), text: textOf(result) };
}

async function importListing(facts: Record<string, unknown>): Promise<void> {
  const { rooms } = office;
  const raw = new TextEncoder().encode(JSON.stringify({ facts }));
  const record = {
    externalId: `listing:${facts['id']}`,
    kind: 'listing',
    mediaType: 'application/json',
    raw,
  } as const;
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: files.id, provider: files.provider },
    { records: [record] },
  );
}

beforeAll(async () => {
  office = await openOffice();
  const { rooms } = office;
  await office.zillow();
  const mail = await office.mailbox();
  await rooms.refresh(rooms.org, mail.id);
  files = await rooms.connections.own(rooms.org, 'files');
});
afterAll(() => office.close());

test('a price of the portal and of the mail about it is one row that names both, and links the mail', async () => {
  const { priceHistory, mentionedIn, listing, text } = await detail({ id: heron });
  expect(listing.address).toContain('14 Heron Court');
  const [newest] = priceHistory;
  expect(newest?.price).toBe(629_000);
  expect(newest?.source).toContain('Price change: 14 Heron Court, 629,000');
  expect(newest?.seenIn.length).toBeGreaterThan(1);
  const linked = newest?.seenIn.find(({ source }) => source.includes('Price change'));
  const read = await office.call('read-source', { uri: linked?.uri });
  expect(textOf(read)).toContain('629,000');
  // Once, however many told it.
  expect(priceHistory.filter(({ price }) => price === 629_000)).toHaveLength(1);
  expect(priceHistory.map(({ price }) => price)).toEqual([629_000, 652_000, 675_000, 318_000]);
  expect(mentionedIn?.some(({ title }) => title.includes('courtesy note'))).toBe(true);
  expect(text).toContain('Mentioned in mail');
});

test('where sources differ each says what it has, how old that is and why it was taken for this home', async () => {
  await importListing({
    id: 'board-14',
    address: '14 HERON CT',
    city: 'Port Ansel',
    region: 'OR',
    beds: 4,
    price: 640_000,
    currency: 'USD',
  });
  office.pass(2 * day);
  const { sources = [], text, listing } = await detail({ address: '14 Heron Ct., Port Ansel', maxAge: 0 });
  const portal = sources.find(({ source }) => source.includes('Zillow'));
  const board = sources.find(({ says }) => says?.['price'] === 640_000);
  expect(portal).toMatchObject({ says: { price: 629_000, beds: 3 } });
  expect(board).toMatchObject({ age: '2 days', says: { price: 640_000, beds: 4 } });
  expect(board?.joinedBy).toContain('address 14 heron ct');
  // The portal was asked last: its word stands.
  expect(listing).toMatchObject({ id: heron, price: 629_000, beds: 3 });
  expect(text).toMatch(/Source .*says .*beds 4/);
});

test('a search of listings shows a home once, and says where else it was met', async () => {
  const property = { location: 'Port Ansel', maxPrice: 640_000, minBeds: 3 };
  const result = await office.call('search', { property, limit: 25 });
  const hits = (result.structuredContent as { hits: { title: string; snippet: string }[] }).hits;
  const found = hits.filter(({ title }) => /heron/i.test(title));
  expect(found).toHaveLength(1);
  expect(found[0]?.snippet).toContain('also met in');
  expect(found[0]?.snippet).toContain('$640,000');
});

test('a home that another home answers for at the portal stays what was remembered', async () => {
  await importListing({
    id: 'board-99',
    address: '99 Nowhere Lane',
    city: 'Port Ansel',
    price: 100_000,
    status: 'for_sale',
  });
  office.pass(day);
  const { listing, note, freshness } = await detail({ id: 'board-99', maxAge: 0 });
  expect(listing.address).toContain('99 Nowhere Lane');
  expect(freshness).not.toBe('live');
  expect(note).toBeDefined();
});

test('a mail that is deleted takes its price and its link away', async () => {
  const { rooms } = office;
  const before = await detail({ id: heron });
  const note = before.mentionedIn?.find(({ title }) => title.includes('courtesy note'));
  const id = note?.uri.split('/').at(-1) ?? '';
  const { externalId, connectionId, provider } = await rooms.memory.document(rooms.org, id);
  await rooms.memory.ingest(rooms.org, { connectionId, provider }, { records: [], deleted: [externalId] });
  const after = await detail({ id: heron });
  expect(after.mentionedIn?.map(({ uri }) => uri)).not.toContain(note?.uri);
  expect(JSON.stringify(after)).not.toContain(note?.uri);
});
