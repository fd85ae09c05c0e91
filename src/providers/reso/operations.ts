// What is asked of an MLS: listings by their properties, one of them whole, its pictures, and what it cost when.
// A read makes two calls at most.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type Listing,
  type ListingGet,
  type ListingSearch,
  type ListingSearchAnswer,
  listing,
  listingGet,
  listingSearch,
  listingSearchAnswer,
} from '../capabilities.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { type Catalogue, catalogueOf, fieldIs } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { isShown, listingOf, photosOf, rowFields, subTypes, textOf, timeOf } from './listing.ts';
import { type Answer, ask, both, either, quoted, type Row } from './odata.ts';

const searchRows = 25;
const lastPage = 40;
const historyRows = 200;

/** All that is read of a row: nothing that the service does not have. */
export function selectOf(catalogue: Catalogue): string[] {
  return [
    ...rowFields.filter((name) => catalogue.fields[name] !== undefined),
    ...Object.keys(catalogue.local),
  ];
}

export function propertyCatalogue(context: ProviderContext, dialect: Dialect): Promise<Catalogue> {
  return catalogueOf(context, dialect, [...rowFields, 'Media']);
}

export function operationsOf(dialect: Dialect) {
  const search = readOperation<ListingSearch, ListingSearchAnswer>({
    effect: 'read',
    title: 'Search listings',
    input: listingSearch,
    output: listingSearchAnswer,
    async run(context, input) {
      if (input.page > lastPage) throw invalid(`page: ${lastPage} at most; narrow the search`, 'page');
      const catalogue = await propertyCatalogue(context, dialect);
      const { rows, total, next } = await ask(context, dialect, '/Property', {
        filter: filterOf(input, catalogue),
        select: selectOf(catalogue),
        orderBy: 'ModificationTimestamp desc',
        top: searchRows,
        skip: (input.page - 1) * searchRows,
        count: true,
      });
      const more =
        total === undefined
          ? next !== undefined || rows.length >= searchRows
          : input.page * searchRows < total;
      const shown = rows.filter((row) => isShown(row, context.fields));
      return {
        listings: shown.map((row) => listingOf(row, catalogue, context.fields)),
        total,
        nextPage: more && rows.length > 0 && input.page < lastPage ? input.page + 1 : undefined,
      };
    },
  });

  const get = readOperation<ListingGet, Listing>({
    effect: 'read',
    title: 'Look up a listing',
    description:
      'Facts, pictures and prices of one listing by its key or MLS number, its page, or its address.',
    input: listingGet,
    output: listing,
    async run(context, input) {
      const catalogue = await propertyCatalogue(context, dialect);
      const { row, calls } = await rowOf(context, dialect, catalogue, input);
      const expanded = row['HistoryTransactional'];
      const key = textOf(row['ListingKey']) ?? '';
      const history = Array.isArray(expanded)
        ? pricesOf(expanded as Row[])
        : calls < 2 && catalogue.resources.includes('HistoryTransactional')
          ? await secondCall(context, () => keptPrices(context, dialect, key))
          : undefined;
      return listingOf(row, catalogue, context.fields, { history });
    },
  });

  const byKey = z.object({ listing: z.string().trim().min(1).max(255).describe('Its key (ListingKey)') });
  const media = readOperation({
    effect: 'read',
    title: 'Pictures of a listing',
    input: byKey,
    output: z.object({ photos: z.array(z.string()) }),
    async run(context, input) {
      const { rows } = await ask(context, dialect, '/Media', {
        filter: both(`ResourceRecordKey eq ${quoted(input.listing)}`, "ResourceName eq 'Property'"),
        select: ['MediaURL', 'MediaCategory', 'Order'],
        orderBy: 'Order',
        top: dialect.rows(context.fields),
      });
      return { photos: photosOf(rows) ?? [] };
    },
  });

  const priceHistory = readOperation({
    effect: 'read',
    title: 'What a listing cost when',
    description: 'As the MLS itself has kept it (HistoryTransactional); not every MLS does.',
    input: byKey,
    output: z.object({ prices: z.array(z.object({ at: z.number(), event: z.string(), price: z.number() })) }),
    async run(context, input) {
      return { prices: (await keptPrices(context, dialect, input.listing)) ?? [] };
    },
  });

  return { search, get, media, 'price-history': priceHistory };
}

/** The listing stands without its history. */
async function secondCall<Result>(
  context: ProviderContext,
  call: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await call();
  } catch (error) {
    context.signal?.throwIfAborted();
    context.log.warn({ err: error }, 'the second call about a listing failed');
    return undefined;
  }
}

async function keptPrices(
  context: ProviderContext,
  dialect: Dialect,
  key: string,
): Promise<Listing['priceHistory']> {
  const { rows } = await ask(context, dialect, '/HistoryTransactional', {
    filter: both(
      `ResourceRecordKey eq ${quoted(key)}`,
      "ResourceName eq 'Property'",
      "FieldName eq 'ListPrice'",
    ),
    select: ['FieldName', 'NewValue', 'ModificationTimestamp'],
    orderBy: 'ModificationTimestamp desc',
    top: Math.min(historyRows, dialect.rows(context.fields)),
  });
  return pricesOf(rows);
}

function pricesOf(rows: readonly Row[]): Listing['priceHistory'] {
  const prices = rows.flatMap((row) => {
    const at = timeOf(row['ModificationTimestamp']);
    const price = Number(row['NewValue'] ?? Number.NaN);
    const counts = row['FieldName'] === 'ListPrice' && at !== undefined && price > 0;
    return counts ? [{ at, event: 'Price change', price }] : [];
  });
  return prices.length === 0 ? undefined : prices.toSorted((a, b) => b.at - a.at);
}

function filterOf(input: ListingSearch, catalogue: Catalogue): string | undefined {
  const has = (field: string) => catalogue.fields[field] !== undefined;
  const bound = (field: string, word: 'ge' | 'le', value: number | undefined) =>
    value === undefined || !has(field) ? undefined : `${field} ${word} ${value}`;
  const lease = either(
    fieldIs(catalogue, 'PropertyType', 'Residential Lease'),
    fieldIs(catalogue, 'PropertyType', 'Commercial Lease'),
  );
  const status = fieldIs(catalogue, 'StandardStatus', input.status === 'sold' ? 'Closed' : 'Active');
  if (status === undefined)
    throw invalid('status: this MLS does not tell the status of its listings', 'status');
  const kind = lease === undefined || input.status === 'for_rent' ? lease : `not (${lease})`;
  if (kind === undefined && input.status === 'for_rent')
    throw invalid('status: this MLS has no rentals', 'status');
  return both(
    placeIs(input.location, catalogue),
    status,
    kind,
    bound('ListPrice', 'ge', input.minPrice),
    bound('ListPrice', 'le', input.maxPrice),
    bound('BedroomsTotal', 'ge', input.minBeds && Math.ceil(input.minBeds)),
    bound('BedroomsTotal', 'le', input.maxBeds && Math.floor(input.maxBeds)),
    bound('BathroomsTotalInteger', 'ge', input.minBaths && Math.ceil(input.minBaths)),
    bound('BathroomsTotalInteger', 'le', input.maxBaths && Math.floor(input.maxBaths)),
    typeIs(input.homeType, catalogue),
  );
}

/** A postal code, or "City", "City, ST", "City, ST 12345". */
function placeIs(location: string, catalogue: Catalogue): string {
  const [, place = '', state, postal] =
    /^\s*([^,\d][^,]*?)?\s*(?:,\s*([A-Za-z]{2}))?\s*,?\s*(\d{5}(?:-\d{4})?)?\s*$/.exec(location) ?? [];
  if (place === '' && postal === undefined)
    throw invalid('location: write a city, a city with its state ("Bend, OR"), or a postal code', 'location');
  const parts = [
    postal === undefined ? undefined : fieldIs(catalogue, 'PostalCode', postal),
    // Where the postal code stands it says enough.
    postal !== undefined || place === '' ? undefined : fieldIs(catalogue, 'City', titled(place)),
    state === undefined ? undefined : fieldIs(catalogue, 'StateOrProvince', state.toUpperCase()),
  ];
  const filter = both(...parts);
  if (filter === undefined) throw invalid('location: this MLS knows no such city', 'location');
  return filter;
}

/** As towns are written: a text is compared letter by letter. */
function titled(place: string): string {
  return place === place.toLowerCase() || place === place.toUpperCase()
    ? place.toLowerCase().replaceAll(/(?<![\p{L}'’])\p{L}/gu, (letter) => letter.toUpperCase())
    : place;
}

function typeIs(homeType: string | undefined, catalogue: Catalogue): string | undefined {
  if (homeType === undefined) return undefined;
  const ours = homeType
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  const filter =
    ours === 'land'
      ? fieldIs(catalogue, 'PropertyType', 'Land')
      : either(...(subTypes[ours] ?? []).map((word) => fieldIs(catalogue, 'PropertySubType', word)));
  if (filter === undefined)
    throw invalid(`homeType: must be one of ${[...Object.keys(subTypes), 'land'].join(', ')}`, 'homeType');
  return filter;
}

/** The one row that is meant, with what can be had beside it. */
async function rowOf(
  context: ProviderContext,
  dialect: Dialect,
  catalogue: Catalogue,
  { id, url, address }: ListingGet,
): Promise<{ row: Row; calls: number }> {
  const expand = ['Media', 'HistoryTransactional'].filter((link) => catalogue.links.includes(link));
  const inline = catalogue.fields['Media'] === undefined ? [] : ['Media'];
  const asked = (filter: string, top: number): Promise<Answer> =>
    ask(context, dialect, '/Property', {
      filter,
      select: [...selectOf(catalogue), ...inline],
      ...(catalogue.fields['ModificationTimestamp'] === undefined
        ? {}
        : { orderBy: 'ModificationTimestamp desc' }),
      expand,
      top,
    });
  const shown = ({ rows }: Answer) => rows.filter((row) => isShown(row, context.fields));
  if (id !== undefined) {
    if (id.length > 255) throw invalid('id: at most 255 characters', 'id');
    const [row] = shown(await asked(`ListingKey eq ${quoted(id)}`, 1));
    if (row !== undefined) return { row, calls: 1 };
    const [numbered] = shown(await asked(`ListingId eq ${quoted(id)}`, 1));
    if (numbered !== undefined) return { row: numbered, calls: 2 };
  } else if (url !== undefined) {
    if (catalogue.fields['ListingURL'] === undefined)
      throw invalid('url: this MLS knows its listings by no page; give the id or the address', 'url');
    const [row] = shown(await asked(`ListingURL eq ${quoted(url)}`, 1));
    if (row !== undefined) return { row, calls: 1 };
  } else {
    const row = theOne(shown(await asked(addressIs(address ?? '', catalogue), searchRows)), address ?? '');
    if (row !== undefined) return { row, calls: 1 };
  }
  throw new DrawbridgeError('not_found', 'The MLS has no such listing, or does not let it be shown.');
}

const directions = /^(?:[nsew]|[ns][ew]|north|south|east|west)\.?$/i;

/** House number, the first word of the street, and the postal code where there is one. */
function addressIs(address: string, catalogue: Catalogue): string {
  const [line = ''] = address.split(',');
  const [number = '', ...words] = line.trim().split(/\s+/);
  const street = words.find((word) => !directions.test(word));
  if (!/^\d[\w-]*$/.test(number) || street === undefined)
    throw invalid('address: begin with the house number and the street, or give an id', 'address');
  const postal = /\b(\d{5})(?:-\d{4})?\s*$/.exec(address)?.[1];
  return (
    both(
      `StreetNumber eq ${quoted(number)}`,
      `startswith(StreetName,${quoted(titled(street.toLowerCase()))})`,
      postal === undefined ? undefined : fieldIs(catalogue, 'PostalCode', postal),
    ) ?? ''
  );
}

/** Of several listings of one home the newest; of several homes the one with the unit that was named. */
function theOne(rows: readonly Row[], address: string): Row | undefined {
  const unit = /(?:#|\b(?:unit|apt|apartment|suite|ste)\b)\s*#?([\w-]+)/i.exec(address)?.[1]?.toLowerCase();
  const unitOf = (row: Row) => textOf(row['UnitNumber'])?.replace(/^#\s*/, '').toLowerCase();
  const fitting = rows.filter((row) => unit === undefined || unitOf(row) === unit);
  const [first] = fitting;
  const home = (row: Row) =>
    ['StreetNumber', 'StreetName', 'City', 'UnitNumber'].map((name) => textOf(row[name]) ?? '').join('|');
  if (first === undefined || new Set(fitting.map(home)).size === 1) return first;
  throw invalid(
    'address: several listings fit it; add the unit and the postal code, or give the id',
    'address',
  );
}

function invalid(message: string, field: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', message, { field });
}
