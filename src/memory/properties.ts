// Listings read back from memory: one by id, link or address, or all that fit a search.
import type { Kysely } from 'kysely';
import type { Listing, ListingSearch } from '../providers/capabilities.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { addressKey, urlKey } from './listings.ts';
import { type Property, propertiesAPage } from './memory.ts';

type Db = Kysely<OrgTables>;
type Row = OrgTables['external_properties'];

async function toProperties(db: Db, orgId: string, rows: readonly Row[]): Promise<Property[]> {
  if (rows.length === 0) return [];
  const prices = await db
    .selectFrom('property_price_history')
    .selectAll()
    .where('org_id', '=', orgId)
    .where(
      'property_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('at', 'desc')
    .orderBy('seen_at', 'desc')
    // Unique, so that its pages neither miss a row nor repeat one.
    .orderBy('event')
    .orderBy('price')
    .execute();
  const documents = await db
    .selectFrom('source_documents')
    .select(['id', 'connection_id', 'external_id'])
    .where('org_id', '=', orgId)
    .where('deleted_at', 'is', null)
    .where('connection_id', 'in', [...new Set(rows.map((row) => row.connection_id))])
    .where(
      'external_id',
      'in',
      rows.map((row) => row.external_id),
    )
    .execute();
  const documentOf = new Map(documents.map((one) => [`${one.connection_id}/${one.external_id}`, one.id]));
  return rows.map((row) => ({
    id: row.id,
    documentId: documentOf.get(`${row.connection_id}/${row.external_id}`),
    listing: fromJson<Listing>(row.facts),
    connectionId: row.connection_id,
    provider: row.provider,
    fetchedAt: row.fetched_at,
    detailedAt: row.detailed_at ?? undefined,
    priceHistory: prices
      .filter((price) => price.property_id === row.id)
      .map(({ at, event, price, currency, source, seen_at }) => ({
        at,
        event,
        price,
        currency,
        source,
        seenAt: seen_at,
      })),
  }));
}

/** The one property meant; of several sources of one listing the last fetched. `id` is ours or the provider's. */
export async function findProperty(
  org: OrgStore,
  key: { id?: string; url?: string; address?: string },
): Promise<Property | undefined> {
  return org.read(async (db) => {
    const base = db
      .selectFrom('external_properties')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .orderBy('fetched_at', 'desc')
      .limit(1);
    const { id, url, address } = key;
    let row: Row | undefined;
    if (id !== undefined) {
      row = await base
        .where((or) => or.or([or('id', '=', id), or('external_id', '=', id)]))
        .executeTakeFirst();
    }
    if (row === undefined && url !== undefined) {
      row = await base.where('url', '=', urlKey(url)).executeTakeFirst();
    }
    if (row === undefined && address !== undefined) {
      const wanted = addressKey(address);
      row = await base.where('address_key', '=', wanted).executeTakeFirst();
      // The street alone, where only one property begins so.
      if (row === undefined && /\d/u.test(wanted) && wanted.includes(' ')) {
        const some = await base
          .clearLimit()
          .where('address_key', '>=', `${wanted} `)
          .where('address_key', '<', `${wanted}!`)
          .limit(20)
          .execute();
        if (new Set(some.map((one) => one.address_key)).size === 1) row = some[0];
      }
    }
    return row === undefined ? undefined : (await toProperties(db, org.orgId, [row]))[0];
  });
}

/** Properties that fit, last fetched first, a page of them. Every word of `location` must stand in the address. */
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
    const wanted = addressKey(filter.location).split(' ');
    const fitting = rows.filter((row) => {
      const place = [row.address, row.city, row.region, row.postal_code].filter((part) => part !== null);
      const has = new Set(addressKey(place.join(' ')).split(' '));
      return wanted.every((word) => has.has(word));
    });
    const page = fitting.slice((filter.page - 1) * propertiesAPage, filter.page * propertiesAPage);
    return toProperties(db, org.orgId, page);
  });
}
