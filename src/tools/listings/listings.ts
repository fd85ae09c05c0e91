// Listings: memory first, then the live provider, and what it said is kept with its prices.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { type Property, propertiesAPage } from '../../memory/memory.ts';
import {
  type Listing,
  type ListingSearch,
  type ListingSearchAnswer,
  listingSearch,
} from '../../providers/capabilities.ts';
import type { SourceRecord, Structured } from '../../providers/record.ts';
import { allowedAge } from '../../recall/thresholds.ts';
import { ageInWords, iso } from '../../time.ts';
import { visibleLine } from '../../untrusted.ts';
import { attributed, documentUri } from '../answers/hits.ts';
import { countFitting } from '../answers/pages.ts';
import type { ToolContext } from '../define.ts';
import { accountsNamed } from '../names/accounts.ts';
import { accountsAtOnce, listingAccounts, type Refused, refusedLine } from './accounts.ts';

const liveTimeout = 10_000;
const mostPages = 2;

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

/** The other sources of a home, with their ages and what they say otherwise. */
function metIn(property: Property, labels: ReadonlyMap<string, Connection>, now: number): string {
  const others = property.sightings.filter((one) => one.connectionId !== property.connectionId);
  const words = others.slice(0, 3).map(({ connectionId, provider, fetchedAt, listing }) => {
    const label = labels.get(connectionId)?.label ?? provider;
    const { price } = listing;
    const differs = price !== undefined && price !== property.listing.price;
    const said = differs ? `: ${priceInWords(listing)}` : '';
    return visibleLine(`${label}, ${ageInWords(Math.max(0, now - fetchedAt))} old${said}`, 120);
  });
  return words.length === 0 ? '' : `also met in ${words.join('; ')}`;
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
    ...(property.documentId === undefined ? {} : { uri: documentUri(property.documentId) }),
    kind: 'listing',
    title: visibleLine(listing.address),
    ...(listing.url === undefined ? {} : { url: listing.url.slice(0, 500) }),
    account: labels.get(property.connectionId)?.label ?? property.provider,
    fetchedAt: iso(property.fetchedAt),
    verifiedAt: iso(property.fetchedAt),
    age: ageInWords(age),
    freshness: live
      ? ('live' as const)
      : age <= allowedAge('listing', { maxAgeMs })
        ? ('fresh' as const)
        : ('stale' as const),
    snippet: [summary(listing), metIn(property, labels, now)].filter((part) => part !== '').join(' · '),
    ...attributed(listing.attribution),
    listingId: listing.id,
    ...(listing.price === undefined ? {} : { price: listing.price }),
  };
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

interface Asked {
  /** `connection`: one of several; left out where there was but one to ask, or none. */
  refused: (Omit<Refused, 'connection'> & { connection?: Connection })[];
  /** Who was not asked for now, in words. */
  left: string | undefined;
}

/** Asks live unless this very search was asked lately. Returns what went wrong, instead of throwing it. */
async function askIfDue(
  context: ToolContext,
  query: ListingSearch,
  options: { maxAgeMs: number | undefined; account: string | undefined },
): Promise<Asked> {
  const { rooms } = context;
  try {
    const accounts = await listingAccounts(context, 'listing.search', options.account);
    const allowed = allowedAge('listing', { maxAgeMs: options.maxAgeMs });
    const lastly = await Promise.all(
      accounts.map(async (connection) => ({
        connection,
        asked: await lastAsked(context, connection, query),
      })),
    );
    // Listings in memory say nothing about those that are not: only a search asked before covers this one.
    const due = lastly
      .filter(({ asked }) => asked === undefined || rooms.clock.now() - asked.at > allowed)
      .toSorted((a, b) => (a.asked?.at ?? 0) - (b.asked?.at ?? 0))
      .map(({ connection }) => connection);
    const now = due.slice(0, accountsAtOnce);
    const pages = now.length > 1 ? 1 : mostPages;
    const refused = await Promise.all(
      now.map(async (connection) => {
        try {
          await askLive(context, connection, query, pages);
          return [];
        } catch (thrown) {
          const error = toDrawbridgeError(thrown);
          return [accounts.length > 1 ? { connection, error } : { error }];
        }
      }),
    );
    const later = due.slice(accountsAtOnce).map(({ label }) => visibleLine(label, 80));
    return {
      refused: refused.flat(),
      left:
        later.length === 0
          ? undefined
          : `Not asked live this time: ${later.join(', ')}. Ask again, or name one as account.`,
    };
  } catch (thrown) {
    return { refused: [{ error: toDrawbridgeError(thrown) }], left: undefined };
  }
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

const askedShape = z.object({ at: z.number(), complete: z.boolean() });

/** When this search was last asked of the account, and whether every page of the answer was read. */
async function lastAsked({ rooms, org }: ToolContext, connection: Connection, query: ListingSearch) {
  const kept = askedShape.safeParse(await rooms.memory.cursor(org, connection.id, searchFeed(query)));
  return kept.success ? kept.data : undefined;
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

/** When a search was last asked live is kept beside the sync cursors, under this name. */
function searchFeed(query: ListingSearch): string {
  const { page: _, ...filter } = query;
  const words = JSON.stringify(Object.entries(filter).sort(([a], [b]) => a.localeCompare(b))).toLowerCase();
  return `listing.search/${createHash('sha256').update(words).digest('hex').slice(0, 32)}`;
}

/** So many live pages at most, written through to memory. */
async function askLive(
  context: ToolContext,
  connection: Connection,
  query: ListingSearch,
  pages: number,
): Promise<void> {
  const { rooms, org, signal } = context;
  const began = rooms.clock.now();
  const found: Listing[] = [];
  let page: number | undefined = 1;
  for (let call = 0; call < pages && page !== undefined; call += 1) {
    const answer: ListingSearchAnswer = await rooms.connections.read(
      org,
      connection,
      'listing.search',
      { ...query, page },
      { signal, timeoutMs: liveTimeout },
    );
    found.push(...answer.listings);
    page = answer.nextPage;
  }
  const value: z.infer<typeof askedShape> = { at: began, complete: page === undefined };
  await rememberListings(context, connection, found, false, { feed: searchFeed(query), value });
}

/**
 * Keeps listings as properties with their prices, and as documents, so that a question in words finds them.
 * `detailed`: they were looked at, and are not only rows of a search.
 */
export async function rememberListings(
  { rooms, org }: ToolContext,
  connection: Connection,
  listings: readonly Listing[],
  detailed: boolean,
  cursor?: { feed: string; value: unknown },
): Promise<void> {
  const source = { connectionId: connection.id, provider: connection.provider };
  await rooms.memory.recordListings(org, source, [...listings], detailed);
  const records: SourceRecord[] = [];
  for (const listing of listings) {
    const { id } = listing;
    const property = await rooms.memory.property(org, { id });
    // As memory holds it, of this account alone: a search's row adds to what was looked at before, and takes
    // nothing away; what others say of the home stays theirs.
    const own = property?.sightings.find(
      (one) => one.connectionId === connection.id && one.externalId === id,
    );
    records.push(recordOf(own?.listing ?? listing));
  }
  const result = await rooms.memory.ingest(org, source, {
    records,
    ...(cursor === undefined ? {} : { cursor }),
  });
  for (const { externalId, reason } of result.rejected) {
    rooms.log.warn({ listing: externalId, reason }, 'a listing could not be kept as a document');
  }
}

function recordOf(listing: Listing): SourceRecord {
  const structured: Structured = {
    title: listing.address,
    text: [
      listing.address,
      summary(listing),
      listing.description,
      ...Object.entries(listing.local ?? {}).map(([name, says]) => `${name}: ${says}`),
      ...(listing.attribution ?? []),
    ]
      .filter((part) => part !== undefined)
      .join('\n'),
    ...(listing.url === undefined ? {} : { url: listing.url }),
    ...(listing.agent === undefined
      ? {}
      : { people: [{ name: listing.agent.name, role: 'agent' as const }] }),
    facts: { listingId: listing.id },
  };
  return {
    externalId: listing.id,
    kind: 'listing',
    mediaType: 'application/json',
    raw: new TextEncoder().encode(JSON.stringify(structured)),
  };
}
