// Homes read back from memory: one by id, link or address, or all that fit a search; each with where it was met,
// what it cost when, and which documents speak of it. What a viewer may not see counts for nothing.
import type { Kysely } from 'kysely';
import type { Listing, ListingSearch } from '../../providers/capabilities.ts';
import type { DocumentKind } from '../../providers/record.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { idsAtOnce, parts } from '../documents/known-rows.ts';
import { readable } from '../documents/readable.sql.ts';
import { type Property, type PropertyMention, type PropertySighting, propertiesAPage } from '../memory.ts';
import { words } from './address.ts';
import { homeAt } from './at-address.ts';
import { urlKey } from './keys.ts';
import { mainSighting, mergedListing, mergedPrices, type PriceRow, type SightingRow } from './merge.ts';

type Db = Kysely<OrgTables>;

const mostMentions = 50;

async function inParts<T>(ids: readonly string[], read: (some: string[]) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (const some of parts(ids, idsAtOnce)) found.push(...(await read(some)));
  return found;
}

/** Sightings of these homes that the viewer may see. */
async function seenSightings(db: Db, org: OrgStore, propertyIds: readonly string[]): Promise<SightingRow[]> {
  const rows = await inParts(propertyIds, (some) =>
    db
      .selectFrom('property_sightings')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('property_id', 'in', some)
      .orderBy('id')
      .execute(),
  );
  const open = await openDocuments(db, org, [...new Set(rows.flatMap((row) => row.document_id ?? []))]);
  const { kinds = [], connections = [] } = org.viewer?.hidden ?? {};
  return rows.filter((row) =>
    row.document_id === null
      ? !connections.includes(row.connection_id) && !kinds.includes('listing')
      : open.has(row.document_id),
  );
}

async function openDocuments(
  db: Db,
  org: OrgStore,
  ids: readonly string[],
): Promise<
  Map<string, { id: string; kind: string; title: string; written_at: number | null; url: string | null }>
> {
  const rows = await inParts(ids, (some) =>
    db
      .selectFrom('source_documents as d')
      .select(['d.id', 'd.kind', 'd.title', 'd.written_at', 'd.url'])
      .where('d.org_id', '=', org.orgId)
      .where('d.deleted_at', 'is', null)
      .where('d.id', 'in', some)
      .where(readable(org, 'd'))
      .execute(),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function sightingOf(
  row: SightingRow,
  documents: Awaited<ReturnType<typeof openDocuments>>,
): PropertySighting {
  const document = row.document_id === null ? undefined : documents.get(row.document_id);
  return {
    id: row.id,
    connectionId: row.connection_id,
    provider: row.provider,
    externalId: row.external_id,
    documentId: row.document_id ?? undefined,
    documentTitle: document?.title,
    said: row.said === 1,
    url: row.url ?? document?.url ?? undefined,
    listing: fromJson<Listing>(row.facts),
    joinedBy: row.joined_by,
    joinedWhy: row.joined_why,
    firstSeenAt: row.first_seen_at,
    fetchedAt: row.fetched_at,
    detailedAt: row.detailed_at ?? undefined,
  };
}

async function toProperties(db: Db, org: OrgStore, ids: readonly string[]): Promise<Property[]> {
  if (ids.length === 0) return [];
  const rows = await seenSightings(db, org, ids);
  const documents = await openDocuments(db, org, [...new Set(rows.flatMap((row) => row.document_id ?? []))]);
  const prices = await inParts(
    rows.map((row) => row.id),
    (some): Promise<PriceRow[]> =>
      db
        .selectFrom('property_price_history')
        .selectAll()
        .where('org_id', '=', org.orgId)
        .where('sighting_id', 'in', some)
        .orderBy('at')
        .orderBy('id')
        .execute(),
  );
  const mentions = await mentionsOf(db, org, ids);
  const bySighting = Map.groupBy(prices, (price) => price.sighting_id);
  const byHome = Map.groupBy(rows, (row) => row.property_id);
  return ids.flatMap((id) => {
    const own = byHome.get(id) ?? [];
    const main = mainSighting(own);
    const listing = mergedListing(own);
    // Nothing of it may be seen, or nothing is left.
    if (main === undefined || listing === undefined) return [];
    const sightings = new Map(own.map((row) => [row.id, sightingOf(row, documents)]));
    const told = own.flatMap((row) =>
      (bySighting.get(row.id) ?? []).flatMap((price) => {
        const sighting = sightings.get(row.id);
        return sighting === undefined ? [] : [{ row: price, sighting }];
      }),
    );
    const property: Property = {
      id,
      documentId: main.document_id ?? undefined,
      listing: main.said === 1 ? { ...listing, id } : listing,
      connectionId: main.connection_id,
      provider: main.provider,
      fetchedAt: main.fetched_at,
      detailedAt: main.detailed_at ?? undefined,
      priceHistory: mergedPrices(told),
      sightings: [...sightings.values()].toSorted((a, b) => b.fetchedAt - a.fetchedAt),
      mentions: mentions.get(id) ?? [],
    };
    return [property];
  });
}

/** Documents that speak of these homes, newest first. */
async function mentionsOf(
  db: Db,
  org: OrgStore,
  ids: readonly string[],
): Promise<Map<string, PropertyMention[]>> {
  const rows = await inParts(ids, (some) =>
    db
      .selectFrom('property_documents as m')
      .innerJoin('source_documents as d', (join) =>
        join.onRef('d.org_id', '=', 'm.org_id').onRef('d.id', '=', 'm.document_id'),
      )
      .select([
        'm.property_id',
        'm.document_id',
        'm.words',
        'm.start_at',
        'm.end_at',
        'd.kind',
        'd.title',
        'd.connection_id',
        'd.written_at',
      ])
      .where('m.org_id', '=', org.orgId)
      .where('m.property_id', 'in', some)
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
      .orderBy('d.written_at', 'desc')
      .orderBy('d.id')
      .execute(),
  );
  const found = new Map<string, PropertyMention[]>();
  for (const row of rows) {
    const list = found.get(row.property_id ?? '') ?? [];
    if (list.length >= mostMentions || list.some((one) => one.documentId === row.document_id)) continue;
    list.push({
      documentId: row.document_id,
      kind: row.kind as DocumentKind,
      title: row.title,
      connectionId: row.connection_id,
      writtenAt: row.written_at ?? undefined,
      words: row.words,
      ...(row.start_at < 0 ? {} : { span: { start: row.start_at, end: row.end_at } }),
    });
    found.set(row.property_id ?? '', list);
  }
  return found;
}

/** The one home meant. `id` is ours, or that of a source. */
export async function findProperty(
  org: OrgStore,
  key: { id?: string; url?: string; address?: string },
): Promise<Property | undefined> {
  return org.read(async (db) => {
    const { id, url, address } = key;
    const base = db
      .selectFrom('property_sightings')
      .select('property_id')
      .where('org_id', '=', org.orgId)
      .orderBy('fetched_at', 'desc')
      .limit(1);
    let found: string | undefined;
    if (id !== undefined) {
      const row = await base
        .where((or) => or.or([or('property_id', '=', id), or('external_id', '=', id), or('id', '=', id)]))
        .executeTakeFirst();
      found = row?.property_id;
    }
    if (found === undefined && url !== undefined) {
      found = (await base.where('url', '=', urlKey(url)).executeTakeFirst())?.property_id;
    }
    if (found === undefined && address !== undefined) found = await homeAt(db, org.orgId, address);
    return found === undefined ? undefined : (await toProperties(db, org, [found]))[0];
  });
}

/** Homes that fit, last fetched first, a page of them. Every word of `location` must stand in the address. */
export async function findProperties(org: OrgStore, filter: ListingSearch): Promise<Property[]> {
  return org.read(async (db) => {
    let query = db
      .selectFrom('external_properties')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('status', '=', filter.status);
    if (filter.minPrice !== undefined) query = query.where('price', '>=', filter.minPrice);
    if (filter.maxPrice !== undefined) query = query.where('price', '<=', filter.maxPrice);
    if (filter.minBeds !== undefined) query = query.where('beds', '>=', filter.minBeds);
    if (filter.maxBeds !== undefined) query = query.where('beds', '<=', filter.maxBeds);
    if (filter.minBaths !== undefined) query = query.where('baths', '>=', filter.minBaths);
    if (filter.maxBaths !== undefined) query = query.where('baths', '<=', filter.maxBaths);
    if (filter.homeType !== undefined) query = query.where('home_type', '=', filter.homeType.toLowerCase());
    const rows = await query.orderBy('fetched_at', 'desc').orderBy('id').execute();
    const wanted = words(filter.location);
    const fitting = rows.filter((row) => {
      const place = [row.address, row.city, row.region, row.postal_code].filter((part) => part !== null);
      const has = new Set(words(place.join(', ')));
      return wanted.every((word) => has.has(word));
    });
    const page = fitting.slice((filter.page - 1) * propertiesAPage, filter.page * propertiesAPage);
    return toProperties(
      db,
      org,
      page.map((row) => row.id),
    );
  });
}

/** Homes whose address holds all of these words, last seen first. */
export async function listHomes(
  org: OrgStore,
  { text = '', limit }: { text?: string; limit: number },
): Promise<Property[]> {
  return org.read(async (db) => {
    const rows = await db
      .selectFrom('external_properties')
      .select(['id', 'address', 'address_key'])
      .where('org_id', '=', org.orgId)
      .orderBy('fetched_at', 'desc')
      .orderBy('id')
      .execute();
    const wanted = words(text);
    const fitting = rows.filter((row) => {
      const has = new Set([...words(row.address), ...words(row.address_key)]);
      return wanted.every((word) => has.has(word));
    });
    return toProperties(
      db,
      org,
      fitting.slice(0, limit).map((row) => row.id),
    );
  });
}
