// Listings: memory first, then the live provider, and what it said is kept with its prices.
import { z } from 'zod';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import { type Property, propertiesAPage } from '../../memory/memory.ts';
import { type ListingSearch, listingSearch } from '../../providers/capabilities.ts';
import { countFitting } from '../answers/pages.ts';
import type { ToolContext } from '../define.ts';
import { accountsNamed } from '../names/accounts.ts';
import { refusedLine } from './accounts.ts';
import { askIfDue, lastAsked } from './ask.ts';
import { hitOfProperty } from './hits.ts';

export const propertyFilter = z.strictObject({
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

/** A page of listings; the cursor is where the next page begins. */
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
  const connections = await rooms.connections.list(org);
  const concerned = options.account === undefined ? connections : accountsNamed(connections, options.account);
  const began = rooms.clock.now();
  const { refused, left } =
    offset === 0 ? await askIfDue(context, query, options) : { refused: [], left: undefined };
  const { listings, unsure } = await remembered(context, concerned, query);
  const [failed] = refused;
  // Nothing remembered and no one to ask: the reason is the answer.
  if (failed !== undefined && listings.length === 0) throw failed.error;
  const labels = new Map(connections.map((c) => [c.id, c]));
  const page = listings
    .slice(offset, offset + options.limit)
    .map((p) => hitOfProperty(p, labels, rooms.clock.now(), options.maxAgeMs, p.fetchedAt >= began));
  const hits = page.slice(0, countFitting(page));
  const next = offset + hits.length;
  return {
    hits,
    notes: [
      ...refused.map(({ connection, error }) =>
        connection === undefined
          ? `The live search failed, so these are from memory: ${error.message}`
          : refusedLine({ connection, error }),
      ),
      ...(left === undefined ? [] : [left]),
      ...(unsure
        ? [
            'The live search had more pages than were read: homes not verified by it may have been sold or repriced since. Narrow the filter for a complete answer.',
          ]
        : []),
    ],
    nextCursor: next < listings.length ? `listings:${next}` : undefined,
  };
}

/**
 * What memory holds of the search. Where the account answered it whole, that answer decides: what it did not
 * name any more is sold, delisted or outside the filter now. `unsure`: it was not whole, and older rows are shown.
 */
async function remembered(context: ToolContext, connections: readonly Connection[], query: ListingSearch) {
  const asked = new Map(
    await Promise.all(
      connections
        .filter((c) => c.capabilities.includes('listing.search'))
        .map(async (c) => [c.id, await lastAsked(context, c, query)] as const),
    ),
  );
  const ids = new Set(connections.map((c) => c.id));
  const listings = (await everyProperty(context, query)).flatMap((home) => {
    const sightings = home.sightings.filter((one) => ids.has(one.connectionId));
    const newest = Math.max(...sightings.map((one) => one.fetchedAt));
    // An account that was asked since any source showed the home, answered whole and did not name it.
    const isGone = sightings.some(({ connectionId }) => {
      const answer = asked.get(connectionId);
      return answer?.complete === true && newest < answer.at;
    });
    return sightings.length === 0 || isGone ? [] : [home];
  });
  const isOlder = (home: Property) =>
    home.sightings.some((one) => {
      const answer = asked.get(one.connectionId);
      return answer?.complete === false && one.fetchedAt < answer.at;
    });
  return { listings, unsure: listings.some(isOlder) };
}

async function everyProperty({ rooms, org }: ToolContext, query: ListingSearch): Promise<Property[]> {
  const found: Property[] = [];
  for (let page = 1; ; page += 1) {
    const some = await rooms.memory.properties(org, { ...query, page });
    found.push(...some);
    if (some.length < propertiesAPage) return found;
  }
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
