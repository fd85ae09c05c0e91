// Listings as `search` shows them: what the market says now, and no home that it has just left out.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Office, openOffice, textOf } from './office.ts';

let office: Office;
const hour = 3_600_000;

beforeAll(async () => {
  office = await openOffice();
  await office.zillow();
});
afterAll(() => office.close());

interface Hit {
  listingId: string;
  title: string;
  price?: number;
  freshness: string;
}

async function homes(input: object) {
  const result = await office.call('search', { limit: 25, ...input });
  expect(result.isError, textOf(result)).toBeUndefined();
  const { hits, notes = [] } = result.structuredContent as { hits: Hit[]; notes?: string[] };
  return { hits, notes, ids: hits.map((hit) => hit.listingId) };
}

test('a home repriced out of the range, sold or delisted is gone from the next live search', async () => {
  const { zillow } = office.sandbox;
  const property = { location: 'Port Ansel', maxPrice: 2_000_000 };
  const { ids } = await homes({ property });
  const [dearer, sold, gone] = ids;
  expect(ids.length).toBeGreaterThan(3);
  zillow.setPrice(Number(dearer), 3_000_000);
  zillow.setStatus(Number(sold), 'SOLD');
  const all = zillow.listings() as unknown[];
  all.splice(
    zillow.listings().findIndex((one) => String(one.zpid) === gone),
    1,
  );
  office.pass(hour);
  const after = await homes({ property, maxAge: 0 });
  expect(after.ids).not.toContain(dearer);
  expect(after.ids).not.toContain(sold);
  expect(after.ids).not.toContain(gone);
  expect(after.hits.every((hit) => hit.freshness === 'live')).toBe(true);
  expect(after.notes).toEqual([]);
  // Nor do they come back while that search is fresh, on any page.
  expect((await homes({ property })).ids.sort()).toEqual(after.ids.sort());
  const second = await homes({ property, cursor: 'listings:1' });
  expect(second.ids).not.toContain(sold);
});

test('a whole answer that names no home at all is believed, too', async () => {
  const { zillow } = office.sandbox;
  const [home] = zillow.listings().filter((one) => one.status === 'FOR_SALE');
  if (home === undefined) throw new Error('no listings');
  const property = { location: home.zip, minPrice: home.price, maxPrice: home.price };
  expect((await homes({ property })).ids).toEqual([String(home.zpid)]);
  zillow.setPrice(home.zpid, home.price + 1);
  office.pass(hour);
  expect((await homes({ property, maxAge: 0 })).ids).toEqual([]);
});

test('a live answer with more pages than were read says so, and keeps what it cannot judge', async () => {
  const { zillow } = office.sandbox;
  const [first] = zillow.listings();
  if (first === undefined) throw new Error('no listings');
  const all = zillow.listings() as unknown as (typeof first)[];
  for (let i = 0; i < 90; i += 1) {
    all.push({
      ...structuredClone(first),
      status: 'FOR_SALE',
      zpid: 900_000 + i,
      street: `${i} Long Street`,
      city: 'Farview',
    });
  }
  const property = { location: 'Farview', minPrice: 1 };
  expect((await homes({ property })).notes).toEqual([]);
  office.pass(hour);
  // One that was seen before now stands behind the pages that are read.
  const [moved] = all.splice(
    all.findIndex((one) => one.zpid === 900_000),
    1,
  );
  if (moved !== undefined) all.push(moved);
  const { notes } = await homes({ property, maxAge: 0 });
  expect(notes.join()).toContain('more pages than were read');
});

test('account narrows listings to those of that account', async () => {
  const other = await office.calendar();
  const none = await office.call('search', { property: { location: 'Port Ansel' }, account: other.id });
  expect(none.isError).toBe(true);
  expect(textOf(none)).toMatch(/^account: .*Zillow/);
});

test('what a property filter cannot use is said', async () => {
  const { notes } = await homes({
    question: 'sea view',
    client: 'Elena',
    property: { location: 'Port Ansel' },
  });
  expect(notes.join()).toContain('question, client: left aside');
});

test('photos that were looked at outlive a later row of a search', async () => {
  const property = { location: 'Port Ansel' };
  const { ids } = await homes({ property });
  const [id] = ids;
  const photosOf = async () => {
    const { structuredContent = {} } = await office.call('property-detail', { id });
    return (structuredContent['listing'] as { photos: string[] }).photos;
  };
  const photos = await photosOf();
  expect(photos.length).toBeGreaterThan(1);
  await homes({ property, maxAge: 0 });
  expect(await photosOf()).toEqual(photos);
});

test('a property says its taxes and how many photos there are in its text, too', async () => {
  const { ids } = await homes({ property: { location: 'Port Ansel' } });
  const detail = await office.call('property-detail', { id: ids[0] });
  expect(textOf(detail)).toMatch(/\d+ photos \(links in the structured result\)/);
  expect(textOf(detail)).toMatch(/\d{4} tax \$[\d,]+, assessed at \$[\d,]+/);
});
