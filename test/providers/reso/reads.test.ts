import { describe, expect, test } from 'vitest';
import { listingGet, listingSearch } from '../../../src/providers/capabilities.ts';
import { provider } from '../../../src/providers/reso/index.ts';
import { openScene, type Scene } from './scene.ts';

const { search, get, media } = provider.operations;
const heron = 'ACM20010014';
const ask = (scene: Scene, input: object) =>
  search.run(scene.context, listingSearch.parse({ location: 'Port Ansel, OR', ...input }));
const filterOf = (scene: Scene) => scene.asked().map(({ query }) => query.get('$filter'));

describe('searching', () => {
  test('what is looked for stands in one filter, with bounds in whole numbers and words as the MLS has them', async () => {
    const scene = await openScene();
    const { listings, total } = await ask(scene, {
      location: 'port ansel, or',
      minPrice: 500_000,
      maxPrice: 640_000,
      minBeds: 2.5,
      homeType: 'house',
    });
    expect(filterOf(scene)).toEqual([
      "((City eq 'Port Ansel' and StateOrProvince eq 'OR') and StandardStatus eq 'Active' and not ((PropertyType eq 'Residential Lease' or PropertyType eq 'Commercial Lease')) and ListPrice ge 500000 and ListPrice le 640000 and BedroomsTotal ge 3 and PropertySubType eq 'Single Family Residence')",
    ]);
    expect(total).toBe(listings.length);
    expect(listings.map(({ address }) => address)).toContain('14 Heron Court, Port Ansel, OR 97399');
    for (const one of listings) expect(one).toMatchObject({ status: 'for_sale', homeType: 'house' });
  });

  test('a postal code says where, and rentals and sold homes are told by type and status', async () => {
    const scene = await openScene();
    const rent = await ask(scene, { location: '97399', status: 'for_rent' });
    expect(rent.listings.map(({ status }) => status)).toContain('for_rent');
    const sold = await ask(scene, { location: 'Port Ansel 97399', status: 'sold' });
    expect(sold.listings.length).toBeGreaterThan(0);
    expect(sold.listings.every(({ status }) => status === 'sold')).toBe(true);
    const [rented, closed] = filterOf(scene);
    expect(rented).toContain(
      "PostalCode eq '97399' and StandardStatus eq 'Active' and (PropertyType eq 'Res",
    );
    expect(closed).toContain("PostalCode eq '97399' and StandardStatus eq 'Closed'");
  });

  test('goes on page by page, and ends', async () => {
    const scene = await openScene();
    for (let n = 0; n < 40; n += 1) scene.mls.market.add({ City: 'Farview' });
    const first = await ask(scene, { location: 'Farview' });
    expect([first.listings.length, first.nextPage, first.total]).toEqual([25, 2, 40]);
    const second = await ask(scene, { location: 'Farview', page: 2 });
    expect([second.listings.length, second.nextPage]).toEqual([15, undefined]);
    const keys = new Set([...first.listings, ...second.listings].map(({ id }) => id));
    expect(keys.size).toBe(40);
  });

  test('where lookups are of EnumTypes, values are asked for and shown by their words', async () => {
    const scene = await openScene('plain', { enums: true, provider: 'mls-1.7' });
    const { listings } = await ask(scene, { homeType: 'house' });
    expect(filterOf(scene)[0]).toContain("StandardStatus eq org.reso.metadata.enums.StandardStatus'Active'");
    expect(listings.length).toBeGreaterThan(0);
    expect(listings[0]).toMatchObject({ homeType: 'house', status: 'for_sale' });
    const { local } = await get.run(scene.context, { id: heron });
    expect(local).toMatchObject({ 'Harbor view': 'Partial' });
  });

  test.each([
    ["O'Brien's", "City eq 'O''Brien''s'"],
    ["x' or ListPrice gt 0 or City eq 'y", "City eq 'x'' or ListPrice gt 0 or City eq ''y'"],
    ['Port&$top=10000#', "City eq 'Port&$top=10000#'"],
  ])('a place called %s ends no literal and adds no option', async (location, literal) => {
    const scene = await openScene();
    await ask(scene, { location });
    const [{ query } = { query: new URLSearchParams() }] = scene.asked();
    expect(query.get('$filter')).toContain(literal);
    expect(query.get('$top')).toBe('25');
    expect([...query.keys()].sort()).toEqual(['$count', '$filter', '$orderby', '$select', '$skip', '$top']);
  });

  test.each([
    [{ homeType: 'castle' }, 'homeType'],
    [{ page: 41 }, 'page'],
    [{ location: '12 somewhere' }, 'location'],
  ])('%j is refused by its field before anybody is asked', async (input, field) => {
    const scene = await openScene();
    await expect(ask(scene, input)).rejects.toMatchObject({ code: 'invalid_request', field });
    expect(scene.asked()).toEqual([]);
  });
});

describe('one listing', () => {
  test('comes in one call: facts, its own fields by name, pictures in order, prices over time, attribution', async () => {
    const scene = await openScene('plain', { fields: { copyright: '© 2026 Ansel Coast MLS' } });
    const found = await get.run(scene.context, { id: heron });
    expect(scene.asked()).toHaveLength(1);
    expect(found).toMatchObject({
      id: heron,
      address: '14 Heron Court, Port Ansel, OR 97399',
      mlsNumber: 'AC2400114',
      parcel: '11-11-14',
      price: 629_000,
      currency: 'USD',
      beds: 3,
      local: { 'Boat slip': 'no', 'Harbor view': 'Partial' },
      agent: { name: 'Celeste Odum', office: 'Breakwater Realty' },
      attribution: [
        'Listed by Celeste Odum, Breakwater Realty (541-555-0181)',
        'Source: Ansel Coast MLS, MLS number AC2400114',
        '© Ansel Coast MLS. All rights reserved.',
        '© 2026 Ansel Coast MLS',
      ],
    });
    expect(found.photos?.[0]).toMatch(/\/1\.jpg$/);
    expect(found.photos).toHaveLength(24);
    expect(found.priceHistory?.map(({ event, price }) => [event, price])).toEqual([
      ['Price change', 629_000],
      ['Price change', 652_000],
      ['Listed for sale', 675_000],
    ]);
    expect(JSON.stringify(found)).not.toContain('Lockbox');
  });

  test('by MLS number in a second call; unknown, it is not found', async () => {
    const scene = await openScene();
    expect((await get.run(scene.context, { id: 'AC2400114' })).id).toBe(heron);
    expect(scene.asked()).toHaveLength(2);
    await expect(get.run(scene.context, { id: "' or 1 eq 1 or '" })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(filterOf(scene)[0]).toBe("ListingKey eq ''' or 1 eq 1 or '''");
  });

  test('by address, to the unit; where several fit it asks for more', async () => {
    const scene = await openScene();
    const at = (address: string) => get.run(scene.context, listingGet.parse({ address }));
    expect((await at('14 heron ct, Port Ansel, OR 97399')).id).toBe(heron);
    expect(filterOf(scene)).toEqual([
      "(StreetNumber eq '14' and startswith(StreetName,'Heron') and PostalCode eq '97399')",
    ]);
    scene.mls.market.add({ ...row(scene, heron), ListingKey: 'TWIN', City: 'Millrace', PostalCode: '97397' });
    await expect(at('14 Heron Court')).rejects.toMatchObject({ code: 'invalid_request', field: 'address' });
    expect((await at('14 Heron Court, Millrace, OR 97397')).id).toBe('TWIN');
    await expect(at('Heron Court')).rejects.toMatchObject({ field: 'address' });
  });

  test('where the MLS cannot expand, its history is had by a second call, and the listing stands without it', async () => {
    const scene = await openScene();
    const { catalogue } = scene.context.fields;
    const known = { ...JSON.parse(String(catalogue)), links: [] };
    const context = {
      ...scene.context,
      fields: { ...scene.context.fields, catalogue: JSON.stringify(known) },
    };
    const found = await get.run(context, { id: heron });
    expect(found.priceHistory).toHaveLength(3);
    expect(scene.asked().map(({ path }) => path.split('/').at(-1))).toEqual([
      'Property',
      'HistoryTransactional',
    ]);
    scene.fail.failNext({ kind: 'refuse', status: 403, text: '{}' }, 'HistoryTransactional', 5);
    expect((await get.run(context, { id: heron })).priceHistory?.map(({ event }) => event)).toEqual([
      'Price change',
      'Listed for sale',
    ]);
    expect((await media.run(context, { listing: heron })).photos).toHaveLength(24);
  });
});

describe('what the MLS does not let be shown', () => {
  const key = 'ACM20010028';

  test('an address that is hidden is nowhere in the answer, nor is where the home stands', async () => {
    const scene = await openScene();
    const found = await get.run(scene.context, { id: key });
    expect(found).toMatchObject({ addressHidden: true, address: 'Undisclosed address', city: 'Port Ansel' });
    expect(JSON.stringify(found)).not.toContain('Bayview');
    for (const telling of ['latitude', 'longitude', 'parcel', 'url'])
      expect(found, telling).not.toHaveProperty(telling);
  });

  test('a listing that is hidden is in no search and is not found', async () => {
    const scene = await openScene();
    const hidden = scene.mls.market.keyAt('510 Ridgeview');
    await expect(get.run(scene.context, { id: hidden })).rejects.toMatchObject({ code: 'not_found' });
    const { listings } = await ask(scene, { minPrice: 839_000, maxPrice: 839_000 });
    expect(listings).toEqual([]);
  });

  test.each([
    [{ MlgCanView: false }, ''],
    [{ MlgCanUse: ['VOW'] }, 'IDX'],
    [{ FeedTypes: ['BO'] }, 'idx'],
  ])('%j hides it from a connection licensed for "%s"', async (row, use) => {
    const { isShown } = await import('../../../src/providers/reso/listing.ts');
    expect(isShown(row, { use })).toBe(false);
    expect(isShown({ ...row, MlgCanView: true, MlgCanUse: ['IDX'], FeedTypes: [] }, { use: 'IDX' })).toBe(
      true,
    );
  });
});

function row(scene: Scene, key: string): Record<string, unknown> {
  const found = scene.mls.market.rows('Property').find((one) => one['ListingKey'] === key);
  return { ...found };
}
