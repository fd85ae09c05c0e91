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
import { type Catalogue, catalogueOf } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { isShown, listingOf, photosOf, rowFields, textOf, timeOf } from './listing.ts';
import { type Answer, ask, both, quoted, type Row } from './odata.ts';
import { addressIs, filterOf, invalid, theOne } from './where.ts';

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
