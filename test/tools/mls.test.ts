// One home that a portal, an MLS, a file and a mail know: shown once, with what each of them says otherwise, how old
// that is, and the lines that each of them wants shown.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MlsServer, startMls } from '../../sandbox/reso/start.ts';
import type { Connection } from '../../src/connections/connections.ts';
import { textOf as unpackedText } from '../../src/memory/documents/packed.ts';
import { type Office, openOffice, textOf } from './office.ts';

let office: Office;
let mls: MlsServer;
let board: Connection;
let portal: Connection;
const day = 86_400_000;
const heron = 'ACM20010014';
const byline = 'Listed by Celeste Odum, Breakwater Realty (541-555-0181)';
const line = '© 2026 Ansel Coast MLS, given at connecting';

interface Source {
  source: string;
  age: string;
  joinedBy: string;
  says?: Record<string, unknown>;
  attribution?: string[];
}
interface Detail {
  listing: { id: string; address: string; attribution?: string[]; local?: Record<string, string> };
  priceHistory: { price: number; source: string }[];
  sources?: Source[];
  freshness: string;
  note?: string;
}

async function call<Data>(name: string, input: object): Promise<Data & { text: string }> {
  const result = await office.call(name, input);
  expect(result.isError, textOf(result)).toBeUndefined();
  return { ...(result.structuredContent as unknown as Data), text: textOf(result) };
}
const detail = (input: object) => call<Detail>('property-detail', input);
interface Hit {
  kind: string;
  title: string;
  snippet: string;
  account: string;
  attribution?: string[];
}
const search = (input: object) => call<{ hits: Hit[]; notes?: string[] }>('search', { limit: 25, ...input });

beforeAll(async () => {
  office = await openOffice();
  const { clock, sandbox, rooms } = office;
  mls = await startMls({ clock, listings: sandbox.world.listings, token: 'token-of-the-board' });
  portal = await office.zillow();
  board = await office.connect('reso', { host: mls.url, copyright: line }, { token: mls.token });
  const mail = await office.mailbox();
  await rooms.refresh(rooms.org, mail.id);
}, 120_000);
afterAll(async () => {
  await office.close();
  await mls.close();
});

test('both sources are asked, and the home is one: each says what it has otherwise, its age, and its lines', async () => {
  mls.market.change(heron, { ListPrice: 640_000, BedroomsTotal: 4, StandardStatus: 'Pending' });
  const {
    sources = [],
    listing,
    text,
    freshness,
  } = await detail({
    address: '14 Heron Court, Port Ansel, OR 97399',
  });
  expect(freshness).toBe('live');
  const told = sources.find(({ source }) => source.includes('Zillow'));
  const listed = sources.find(({ source }) => source.includes('Ansel Coast MLS'));
  expect(told).toMatchObject({ says: { price: 629_000, beds: 3, status: 'for_sale' } });
  expect(listed).toMatchObject({ says: { price: 640_000, beds: 4, status: 'pending' } });
  expect([told?.joinedBy, listed?.joinedBy].join(' ')).toContain('MLS number ac2400114');
  expect(listed?.attribution).toEqual([
    byline,
    'Source: Ansel Coast MLS, MLS number AC2400114',
    '© Ansel Coast MLS. All rights reserved.',
    line,
  ]);
  expect(told).not.toHaveProperty('attribution');
  expect(listing.attribution).toEqual(listed?.attribution);
  expect(listing.local).toMatchObject({ 'Harbor view': 'Partial' });
  for (const shown of [byline, line, 'status pending', 'status for_sale']) expect(text).toContain(shown);
});

test('the age of each source is its own', async () => {
  office.pass(3 * day);
  await detail({ id: '20010014', account: portal.id });
  const { sources = [], listing } = await detail({ id: '20010014', account: portal.id });
  expect(sources.find(({ source }) => source.includes('Zillow'))?.age).not.toContain('day');
  expect(sources.find(({ source }) => source.includes('Ansel Coast'))?.age).toBe('3 days');
  // Whose word is shown as newest changes nothing about whose lines must be shown.
  expect(listing.attribution).toContain(byline);
});

test('a search shows a home once, says who knows it, and bears the lines of its MLS', async () => {
  const { hits, text, notes } = await search({
    property: { location: 'Port Ansel', minPrice: 635_000 },
    maxAge: 0,
  });
  expect(notes).toBeUndefined();
  const beacon = hits.filter(({ title }) => title.includes('1 Beacon Street'));
  expect(beacon).toHaveLength(1);
  expect(beacon[0]?.snippet).toContain('also met in');
  expect(beacon[0]?.attribution?.join()).toContain('Breakwater Realty');
  expect(text).toContain(line);
  expect(hits.some(({ account }) => account.includes('Zillow') || account.includes('Ansel'))).toBe(true);
});

test('what each account said stays its own: no document of the portal has the words or the lines of the MLS', async () => {
  const { rooms } = office;
  const rows = await rooms.org.read((db) =>
    db
      .selectFrom('source_documents')
      .select(['external_id', 'connection_id', 'text', 'text_packed'])
      .where('kind', '=', 'listing')
      .execute(),
  );
  const told = rows.map((row) => ({ ...row, text: unpackedText(row) }));
  const [ofPortal, ofBoard] = [portal, board].map(({ id }) => told.filter((row) => row.connection_id === id));
  expect(ofPortal?.length).toBeGreaterThan(5);
  expect(
    ofPortal?.filter(({ external_id, text }) => !/^\d+$/.test(external_id) || text.includes(line)),
  ).toEqual([]);
  expect(ofBoard?.filter(({ text }) => !text.includes(line))).toEqual([]);
});

test('recall bears the lines of the MLS, whatever part of the listing was found', async () => {
  const { rooms } = office;
  await rooms.refresh(rooms.org, board.id);
  const { hits, text } = await search({ question: 'keeper’s house below the light with a fog signal' });
  const found = hits.find(({ kind, account }) => kind === 'listing' && account.includes('Ansel Coast'));
  expect(found?.attribution).toContain(line);
  expect(text).toContain(line);
  const memory = await call<{ passages: { kind: string; uri: string; attribution?: string[] }[] }>(
    'ime-search',
    {
      question: 'grand piano and oak floors',
      kinds: ['listing'],
    },
  );
  const passage = memory.passages.find(({ attribution }) => attribution?.includes(line));
  expect(passage).toBeDefined();
  const whole = await call<{ text: string }>('read-source', { uri: passage?.uri });
  expect(whole.text).toContain(line);
});

test('what a sync brought is looked at live once, for its pictures and for what it cost when', async () => {
  const harrow = 'ACM20010025';
  const { rooms } = office;
  const before = await rooms.memory.property(rooms.org, { id: harrow });
  expect(before?.sightings.find(({ provider }) => provider === 'reso')).toMatchObject({
    detailedAt: undefined,
  });
  const first = await call<Detail & { listing: { photos?: string[] } }>('property-detail', { id: harrow });
  expect(first.freshness).toBe('live');
  expect(first.listing.photos).toHaveLength(18);
  expect(first.priceHistory.map(({ price }) => price)).toEqual([595_000, 609_000]);
  // And the next sync takes nothing of it away.
  mls.market.change(harrow, { ListPrice: 590_000 });
  await rooms.refresh(rooms.org, board.id);
  const after = await call<Detail & { listing: { photos?: string[]; price?: number } }>('property-detail', {
    id: harrow,
  });
  expect(after.freshness).toBe('fresh');
  expect(after.listing).toMatchObject({ price: 590_000 });
  expect(after.listing.photos).toHaveLength(18);
});

test('the feed, a live look, the portal, a file and a mail are sightings of one home', async () => {
  const { rooms } = office;
  const files = await rooms.connections.own(rooms.org, 'files');
  const facts = { id: 'sheet-14', address: '14 HERON CT', city: 'Port Ansel', region: 'OR', price: 631_000 };
  const raw = new TextEncoder().encode(JSON.stringify({ facts }));
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: files.id, provider: files.provider },
    { records: [{ externalId: 'sheet-14', kind: 'listing', mediaType: 'application/json', raw }] },
  );
  const home = await rooms.memory.property(rooms.org, { id: heron });
  const met = home?.sightings.map(({ provider, said }) => (said ? `${provider}, in words` : provider)) ?? [];
  expect([...new Set(met)].sort()).toEqual(['files', 'mailbox, in words', 'reso', 'zillow']);
  expect(met.filter((provider) => provider === 'reso')).toHaveLength(1);
  const prices = home?.priceHistory.map(({ price }) => price) ?? [];
  for (const price of [640_000, 629_000, 652_000, 675_000]) expect(prices).toContain(price);
});

test('a listing that its MLS shows no more is gone from memory with the next sync, and the portal’s word stays', async () => {
  const { rooms } = office;
  mls.market.change(heron, { InternetEntireListingDisplayYN: false });
  await rooms.refresh(rooms.org, board.id);
  const home = await rooms.memory.property(rooms.org, { id: '20010014' });
  expect(home?.sightings.map(({ provider }) => provider)).not.toContain('reso');
  expect(home?.sightings.map(({ provider }) => provider)).toContain('zillow');
  expect(home?.listing.attribution).toBeUndefined();
});

test('an address that the MLS hides is not told, unless another source tells it', async () => {
  const shy = await detail({ id: 'ACM20010028', account: board.id });
  expect(shy.listing.address).toMatch(/Undisclosed/);
  expect(shy.text).not.toContain('Bayview');
  expect(shy.note).toContain('does not let the address be shown');
  expect(shy.listing).not.toHaveProperty('parcel');
  await detail({ id: '20010028', account: portal.id });
  const both = await detail({ id: 'ACM20010028' });
  expect(both.listing.address).toContain('940 Bayview Terrace');
  expect(both.note ?? '').not.toContain('does not let');
});

test('what the MLS has was asked once, at connecting by a form, and is kept with the account', async () => {
  const { fields } = await office.rooms.connections.get(office.rooms.org, board.id);
  expect(JSON.parse(String(fields['catalogue']))).toMatchObject({ local: { X_HarborView: 'Harbor view' } });
  expect(mls.requests().filter(({ path }) => path.endsWith('$metadata'))).toHaveLength(1);
});

test('one account that fails is named, and the other answers', async () => {
  mls.faults.failNext({ kind: 'refuse', status: 403, text: '{}' }, '/Property', 6);
  const { hits, notes = [] } = await search({ property: { location: 'Port Ansel' }, maxAge: 0 });
  expect(hits.length).toBeGreaterThan(5);
  expect(notes.join()).toContain('Ansel Coast MLS could not be asked');
  mls.faults.clear();
  await expect(office.call('property-detail', { id: 'no-such-listing' })).resolves.toMatchObject({
    isError: true,
  });
});

test('of more accounts than are asked at once, those left out are named', async () => {
  const { clock, sandbox } = office;
  const other = await startMls({
    clock,
    listings: sandbox.world.listings.slice(0, 2),
    token: 'other',
    system: 'Gull MLS',
  });
  try {
    await office.connect('reso', { host: other.url }, { token: 'other' });
    const { notes = [] } = await search({ property: { location: 'Millrace' }, maxAge: 0 });
    expect(notes.join()).toMatch(/Not asked live this time: .*MLS|Not asked live this time: Zillow/);
  } finally {
    await other.close();
  }
});
