// Prices of several sources as one history: what is the same is once, and what is not stays apart.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  mergedListing,
  mergedPrices,
  type PriceRow,
  type SightingRow,
} from '../../../src/memory/properties/merge.ts';
import type { Listing } from '../../../src/providers/capabilities.ts';

const day = 86_400_000;
let count = 0;
function told(at: number, event: string, price: number, sighting: string, currency: string | null = 'USD') {
  count += 1;
  const id = `prc_${String(count).padStart(4, '0')}`;
  const row: PriceRow = {
    org_id: 'o',
    id,
    sighting_id: sighting,
    event,
    price,
    currency,
    at: at * day,
    seen_at: at * day,
  };
  return { row, sighting };
}
const brief = (rows: ReturnType<typeof told>[]) =>
  mergedPrices(rows).map(({ at, event, price, currency, seenIn }) => [
    at / day,
    event,
    price,
    currency,
    seenIn.map(({ sighting }) => sighting).join(' '),
  ]);

test('the same price and event within three days is one, and names all who tell it', () => {
  expect(
    brief([
      told(10, 'Price change, said in words', 480, 'mail', null),
      told(11, 'Price change', 480, 'portal'),
      told(12, 'Price seen', 480, 'file', null),
    ]),
  ).toEqual([[10, 'Price change', 480, 'USD', 'mail portal file']]);
});

test('another price, another currency, a sale, or a month later is another', () => {
  expect(
    brief([
      told(10, 'Listed for sale', 500, 'portal'),
      told(11, 'Sold', 500, 'registry'),
      told(11, 'Listed for sale', 500, 'abroad', 'EUR'),
      told(12, 'Listed for sale', 490, 'portal'),
      told(60, 'Listed for sale', 500, 'portal'),
    ]),
  ).toHaveLength(5);
});

test('a price that is seen where it stood already is no event, and one that came back is', () => {
  expect(brief([told(10, 'Listed', 500, 'portal'), told(40, 'Price seen', 500, 'mail')])).toHaveLength(1);
  expect(
    brief([
      told(10, 'Listed', 500, 'portal'),
      told(20, 'Price change', 480, 'portal'),
      told(40, 'Price seen', 500, 'portal'),
    ]),
  ).toHaveLength(3);
});

test('no price and no source is lost, in whatever order they are told', () => {
  const row = fc
    .record({
      at: fc.integer({ min: 0, max: 60 }),
      event: fc.constantFrom('Listed', 'Price change', 'Sold', 'Price seen'),
      price: fc.constantFrom(100, 110, 120),
      sighting: fc.constantFrom('a', 'b', 'c'),
      currency: fc.constantFrom('USD', null),
    })
    .map(({ at, event, price, sighting, currency }) => told(at, event, price, sighting, currency));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const merged = mergedPrices(rows);
      const held = new Set(
        merged.flatMap(({ price, seenIn }) => seenIn.map((one) => `${price} ${one.sighting}`)),
      );
      expect(held).toEqual(new Set(rows.map((one) => `${one.row.price} ${one.sighting}`)));
      expect(mergedPrices(rows.toReversed())).toEqual(merged);
      expect(merged.map(({ at }) => at)).toEqual(merged.map(({ at }) => at).toSorted((a, b) => b - a));
    }),
  );
});

const sighting = (fetched: number, listing: Partial<Listing>, said = 0): SightingRow =>
  ({
    id: `psg_${fetched}`,
    said,
    fetched_at: fetched,
    facts: JSON.stringify({ id: String(fetched), address: '1 Elm St', ...listing }),
  }) as SightingRow;

test('the lines that each source wants shown are all kept, the newest source’s first and none twice', () => {
  const merged = mergedListing([
    sighting(1, { attribution: ['Listed by A', '© both'], local: { Slip: 'yes' } }),
    sighting(2, { attribution: ['Listed by B', '© both'], local: { View: 'full' } }),
    sighting(3, {}),
  ]);
  expect(merged?.attribution).toEqual(['Listed by B', '© both', 'Listed by A']);
  expect(merged?.local).toEqual({ Slip: 'yes', View: 'full' });
});

test('an address that its source hides is another source’s to tell, and no mail’s', () => {
  const hidden = sighting(9, { address: 'Undisclosed address', addressHidden: true });
  expect(mergedListing([hidden])).toMatchObject({ address: 'Undisclosed address', addressHidden: true });
  const told = mergedListing([hidden, sighting(1, { address: '1 Elm St' })]);
  expect(told).toMatchObject({ id: '9', address: '1 Elm St' });
  expect(told).not.toHaveProperty('addressHidden');
  expect(mergedListing([hidden, sighting(1, { address: '1 Elm St' }, 1)])).toMatchObject({
    addressHidden: true,
  });
});
