// Listings as they are seen: the newest facts in external_properties, and every price with the day it was
// seen or is said to have been.
import type { Transaction } from 'kysely';
import { newId } from '../ids.ts';
import { type Listing, listing as listingShape } from '../providers/capabilities.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';
import { fold } from './language/stem.ts';
import type { Source } from './memory.ts';

type Tx = Transaction<OrgTables>;
type Row = OrgTables['external_properties'];

const abbreviations: Readonly<Record<string, string>> = {
  street: 'st',
  avenue: 'ave',
  road: 'rd',
  drive: 'dr',
  lane: 'ln',
  court: 'ct',
  place: 'pl',
  boulevard: 'blvd',
  terrace: 'ter',
  circle: 'cir',
  highway: 'hwy',
  parkway: 'pkwy',
  square: 'sq',
  apartment: 'apt',
  suite: 'ste',
  north: 'n',
  south: 's',
  east: 'e',
  west: 'w',
  northeast: 'ne',
  northwest: 'nw',
  southeast: 'se',
  southwest: 'sw',
  strasse: 'str',
};

/** "12 Oak Street, Springfield" and "12 oak st springfield" are one place (USPS Publication 28, appendix C). */
export function addressKey(address: string): string {
  return address
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’.]/gu, '')
    .replace(/#\s*/gu, ' apt ')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map(fold)
    .map((word) => abbreviations[word] ?? word)
    .join(' ');
}

/** A link without what only says where one came from. */
export function urlKey(url: string): string {
  return url.replace(/[?#].*$/u, '').replace(/\/+$/u, '');
}

const priceEvent = 'Price seen';
const dayMs = 86_400_000;

interface Ground {
  orgId: string;
  source: Source;
  now: number;
}

function columnsOf(listing: Listing, before: Row | undefined, detailed: boolean, now: number) {
  // A search result's row knows less than the details that were fetched before: it adds, it takes nothing away.
  const kept = before === undefined ? {} : fromJson<Partial<Listing>>(before.facts);
  const facts: Listing = { ...kept, ...listing, ...(detailed ? {} : richer(kept, listing)) };
  return {
    url: facts.url === undefined ? null : urlKey(facts.url),
    address: facts.address,
    address_key: addressKey(facts.address),
    city: facts.city ?? null,
    region: facts.region ?? null,
    postal_code: facts.postalCode ?? null,
    status: facts.status ?? null,
    home_type: facts.homeType?.toLowerCase() ?? null,
    price: facts.price ?? null,
    currency: facts.currency ?? null,
    beds: facts.beds ?? null,
    baths: facts.baths ?? null,
    area_sqft: facts.areaSqft ?? null,
    latitude: facts.latitude ?? null,
    longitude: facts.longitude ?? null,
    facts: toJson(facts),
    detailed_at: detailed ? now : (before?.detailed_at ?? null),
    fetched_at: now,
  };
}

/** What was known at more length than a search result's row says it. */
function richer(kept: Partial<Listing>, row: Listing): Partial<Listing> {
  const size = (list: readonly unknown[] | string | undefined) => list?.length ?? 0;
  const { photos, description, agent, priceHistory, taxHistory } = kept;
  return {
    ...(size(photos) > size(row.photos) ? { photos } : {}),
    ...(size(description) > size(row.description) ? { description } : {}),
    ...(size(priceHistory) > size(row.priceHistory) ? { priceHistory } : {}),
    ...(size(taxHistory) > size(row.taxHistory) ? { taxHistory } : {}),
    // The same agent with fewer particulars; another one is news.
    ...(agent !== undefined && (row.agent?.name ?? agent.name) === agent.name
      ? { agent: { ...agent, ...row.agent } }
      : {}),
  };
}

interface PriceRow {
  event: string;
  price: number;
  at: number;
}

/** What the source tells of the past, and a price that we see changed ourselves. */
async function recordPrices(
  tx: Tx,
  { orgId, source, now }: Ground,
  { propertyId, listing, before }: { propertyId: string; listing: Listing; before: Row | undefined },
): Promise<void> {
  const currency = listing.currency ?? before?.currency ?? 'USD';
  const told: PriceRow[] = (listing.priceHistory ?? []).map(({ at, event, price }) => ({ at, event, price }));
  const isNew = listing.price !== undefined && listing.price !== before?.price;
  const toldToday = told.some((row) => row.price === listing.price && Math.abs(row.at - now) < dayMs);
  if (isNew && listing.price !== undefined && !toldToday) {
    told.push({ at: now, event: priceEvent, price: listing.price });
  }
  if (told.length === 0) return;
  await tx
    .insertInto('property_price_history')
    .values(
      told.map((row) => ({
        org_id: orgId,
        id: newId('prc', now),
        property_id: propertyId,
        currency,
        source: source.provider,
        seen_at: now,
        ...row,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function writeListings(
  tx: Tx,
  ground: Ground,
  listings: readonly Listing[],
  detailed: boolean,
): Promise<void> {
  const { orgId, source, now } = ground;
  for (const listing of new Map(listings.map((one) => [one.id, one])).values()) {
    const before = await tx
      .selectFrom('external_properties')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('connection_id', '=', source.connectionId)
      .where('external_id', '=', listing.id)
      .executeTakeFirst();
    const columns = columnsOf(listing, before, detailed, now);
    const propertyId = before?.id ?? newId('prp', now);
    if (before === undefined) {
      await tx
        .insertInto('external_properties')
        .values({
          org_id: orgId,
          id: propertyId,
          connection_id: source.connectionId,
          provider: source.provider,
          external_id: listing.id,
          first_seen_at: now,
          ...columns,
        })
        .execute();
    } else {
      await tx
        .updateTable('external_properties')
        .set(columns)
        .where('org_id', '=', orgId)
        .where('id', '=', before.id)
        .execute();
    }
    await recordPrices(tx, ground, { propertyId, listing, before });
  }
}

/** Listings that came as documents: those whose facts are a listing are kept as properties too. */
export async function ingestListings(
  tx: Tx,
  { orgId, source, facts, now }: Ground & { facts: readonly Record<string, unknown>[] },
): Promise<void> {
  const listings = facts.flatMap((one) => {
    const parsed = listingShape.safeParse(one);
    return parsed.success ? [parsed.data] : [];
  });
  if (listings.length > 0) await writeListings(tx, { orgId, source, now }, listings, true);
}
