// Listings: memory first, then the live provider, and what it said is kept with its prices.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { Property } from '../memory/memory.ts';
import {
  type Listing,
  type ListingSearch,
  type ListingSearchAnswer,
  listingSearch,
} from '../providers/capabilities.ts';
import { ageInWords, iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import type { ToolContext } from './define.ts';
import { allowedAge } from './freshness.ts';

const liveTimeout = 10_000;

export const propertyFilter = z.object({
  location: z.string().trim().min(1).max(200).describe('City, postal code or area'),
  status: z.enum(['for_sale', 'for_rent', 'sold']).default('for_sale'),
  minPrice: z.number().min(0).optional(),
  maxPrice: z.number().min(0).optional(),
  minBeds: z.number().min(0).optional(),
  maxBeds: z.number().min(0).optional(),
  minBaths: z.number().min(0).optional(),
  maxBaths: z.number().min(0).optional(),
  homeType: z
    .string()
    .optional()
    .describe('house, condo, townhouse, multi_family, apartment, land, manufactured'),
});

function checkRange(
  filter: z.output<typeof propertyFilter>,
  low: 'minPrice' | 'minBeds' | 'minBaths',
  high: 'maxPrice' | 'maxBeds' | 'maxBaths',
): void {
  const from = filter[low];
  const to = filter[high];
  if (from !== undefined && to !== undefined && from > to) {
    throw new DrawbridgeError(
      'invalid_request',
      `property.${low}: ${from} is above ${high} (${to}). Swap them, or leave one out.`,
      { field: `property.${low}` },
    );
  }
}

/** "$450,000" in the listing's currency, or undefined. */
export function priceInWords(listing: Pick<Listing, 'price' | 'currency'>): string | undefined {
  if (listing.price === undefined) return undefined;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: listing.currency ?? 'USD',
    maximumFractionDigits: 0,
  }).format(listing.price);
}

function summary(listing: Listing): string {
  const parts = [
    priceInWords(listing),
    listing.beds === undefined ? undefined : `${listing.beds} bd`,
    listing.baths === undefined ? undefined : `${listing.baths} ba`,
    listing.areaSqft === undefined ? undefined : `${listing.areaSqft.toLocaleString('en-US')} sqft`,
    listing.homeType,
    listing.status,
  ];
  return visibleLine(parts.filter((p) => p !== undefined).join(' · '), 300);
}

function hitOfProperty(
  property: Property,
  labels: ReadonlyMap<string, Connection>,
  now: number,
  maxAgeMs: number | undefined,
  live: boolean,
) {
  const { listing } = property;
  const age = Math.max(0, now - property.fetchedAt);
  return {
    uri: `ime://documents/${property.id}`,
    kind: 'listing',
    title: visibleLine(listing.address),
    ...(listing.url === undefined ? {} : { url: listing.url.slice(0, 500) }),
    account: labels.get(property.connectionId)?.label ?? property.provider,
    fetchedAt: iso(property.fetchedAt),
    age: ageInWords(age),
    freshness: live
      ? ('live' as const)
      : age <= allowedAge('listing', maxAgeMs)
        ? ('fresh' as const)
        : ('stale' as const),
    snippet: summary(listing),
    listingId: listing.id,
    ...(listing.price === undefined ? {} : { price: listing.price }),
  };
}

/** A page of listings; the cursor is the number of the next page. */
export async function searchListings(
  context: ToolContext,
  filter: z.output<typeof propertyFilter>,
  options: {
    maxAgeMs: number | undefined;
    limit: number;
    account: string | undefined;
    cursor: string | undefined;
  },
) {
  checkRange(filter, 'minPrice', 'maxPrice');
  checkRange(filter, 'minBeds', 'maxBeds');
  checkRange(filter, 'minBaths', 'maxBaths');
  const { rooms, org } = context;
  const offset = cursorOffset(options.cursor);
  const query: ListingSearch = listingSearch.parse({ ...filter, page: 1 });
  const labels = new Map((await rooms.connections.list(org)).map((c) => [c.id, c]));
  const now = rooms.clock.now();
  const remembered = await rooms.memory.properties(org, query);
  const allowed = allowedAge('listing', options.maxAgeMs);
  const covering = remembered.length > 0 && remembered.every((p) => now - p.fetchedAt <= allowed);
  let listings = remembered;
  let live = false;
  const notes: string[] = [];
  if (!covering && offset === 0) {
    try {
      await askLive(context, query, options.account);
      listings = await rooms.memory.properties(org, query);
      live = true;
    } catch (thrown) {
      const error = toDrawbridgeError(thrown);
      // Nothing remembered and no one to ask: the reason is the answer.
      if (remembered.length === 0) throw error;
      notes.push(`The live search failed, so these are from memory: ${error.message}`);
    }
  }
  const hits = listings
    .slice(offset, offset + options.limit)
    .map((p) => hitOfProperty(p, labels, now, options.maxAgeMs, live && p.fetchedAt >= now));
  const next = offset + options.limit;
  return { hits, notes, nextCursor: next < listings.length ? `listings:${next}` : undefined };
}

function cursorOffset(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const match = /^listings:(\d{1,6})$/.exec(cursor);
  if (match === null)
    throw new DrawbridgeError(
      'invalid_request',
      'cursor: not one that a listing search gave. Leave it out to start again.',
      { field: 'cursor' },
    );
  return Number(match[1]);
}

/** At most two live pages, written through to memory. */
async function askLive(
  context: ToolContext,
  query: ListingSearch,
  account: string | undefined,
): Promise<void> {
  const { rooms, org, signal } = context;
  const connection = await rooms.connections.resolve(org, 'listing.search', account);
  let page: number | undefined = 1;
  for (let call = 0; call < 2 && page !== undefined; call += 1) {
    const answer: ListingSearchAnswer = await rooms.connections.read(
      org,
      connection,
      'listing.search',
      { ...query, page },
      { signal, timeoutMs: liveTimeout },
    );
    await rooms.memory.recordListings(
      org,
      { connectionId: connection.id, provider: connection.provider },
      answer.listings,
      false,
    );
    page = answer.nextPage;
  }
}
