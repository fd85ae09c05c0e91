// Sightings as they come and go: kept with their prices, and joined to their home. In the transaction of what
// brought or took them.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import type { Listing } from '../../providers/capabilities.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { idsAtOnce, parts } from '../documents/known-rows.ts';
import type { Source } from '../memory.ts';
import { findHome, type Joined } from './home.ts';
import { type Keys, keysOf, keysReading, urlKey } from './keys.ts';
import { richer, type SightingRow } from './merge.ts';
import { rebuild } from './rebuild.ts';

type Tx = Transaction<OrgTables>;

export interface Ground {
  orgId: string;
  source: Source;
  now: number;
}

export interface Sighting {
  externalId: string;
  listing: Listing;
  /** It was looked at, and is not only a row of a search. */
  detailed: boolean;
  /** The document that it came as, or that says it in words. */
  documentId: string | undefined;
  said: boolean;
  /** Prices as this source tells them. */
  prices: readonly { at: number; event: string; price: number; currency: string | undefined }[];
}

function sameKeys(row: SightingRow, keys: Keys): boolean {
  return (
    row.reading === keysReading &&
    row.address_key === keys.addressKey &&
    (row.parcel ?? undefined) === keys.parcel &&
    (row.mls_number ?? undefined) === keys.mlsNumber
  );
}

async function addPrices(
  tx: Tx,
  { orgId, now }: Ground,
  sightingId: string,
  prices: Sighting['prices'],
): Promise<void> {
  if (prices.length === 0) return;
  await tx
    .insertInto('property_price_history')
    .values(
      prices.map(({ at, event, price, currency }) => ({
        org_id: orgId,
        id: newId('prc', now),
        sighting_id: sightingId,
        event,
        price,
        currency: currency ?? null,
        at,
        seen_at: now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** A new home; its columns are made by `rebuild`. */
async function newHome(tx: Tx, { orgId, now }: Ground): Promise<Joined> {
  const id = newId('prp', now);
  await tx
    .insertInto('external_properties')
    .values({
      org_id: orgId,
      id,
      address: '',
      address_key: '',
      city: null,
      region: null,
      postal_code: null,
      status: null,
      home_type: null,
      price: null,
      currency: null,
      beds: null,
      baths: null,
      area_sqft: null,
      first_seen_at: now,
      fetched_at: now,
    })
    .execute();
  return { property_id: id, joined_by: 'new', joined_why: 'the first sighting of this home' };
}

/** Where a sighting belongs that is known already and whose keys are others now. */
async function placeAgain(tx: Tx, ground: Ground, row: SightingRow, keys: Keys): Promise<Joined> {
  // What a person decided stands.
  if (row.joined_by === 'person') return row;
  const found = await findHome(tx, ground.orgId, keys, row.id);
  if (found !== undefined) return found;
  const beside = await tx
    .selectFrom('property_sightings')
    .select('id')
    .where('org_id', '=', ground.orgId)
    .where('property_id', '=', row.property_id)
    .where('id', '!=', row.id)
    .limit(1)
    .executeTakeFirst();
  return beside === undefined ? row : newHome(tx, ground);
}

function columnsOf(keys: Keys, listing: Listing) {
  return {
    url: listing.url === undefined ? null : urlKey(listing.url),
    address_key: keys.addressKey,
    line_key: keys.address?.line ?? null,
    parcel: keys.parcel ?? null,
    mls_number: keys.mlsNumber ?? null,
    facts: toJson(listing),
    reading: keysReading,
  };
}

/** Keeps sightings of one source. @returns the homes that changed; hand them to `rebuild` */
export async function keepSightings(
  tx: Tx,
  ground: Ground,
  sightings: readonly Sighting[],
): Promise<Set<string>> {
  const { orgId, source, now } = ground;
  const touched = new Set<string>();
  for (const sighting of sightings) {
    const { externalId, detailed, documentId, said } = sighting;
    const before = await tx
      .selectFrom('property_sightings')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('connection_id', '=', source.connectionId)
      .where('external_id', '=', externalId)
      .executeTakeFirst();
    // A search result's row knows less than the details that were fetched before: it adds, it takes nothing away.
    const kept = before === undefined ? {} : fromJson<Partial<Listing>>(before.facts);
    const listing: Listing = {
      ...kept,
      ...sighting.listing,
      ...(detailed ? {} : richer(kept, sighting.listing)),
    };
    if (listing.addressHidden === true) {
      // It may have been told before.
      for (const telling of ['latitude', 'longitude', 'url', 'parcel'] as const) delete listing[telling];
    }
    const keys = keysOf(listing);
    const columns = {
      ...columnsOf(keys, listing),
      document_id: documentId ?? before?.document_id ?? null,
      fetched_at: now,
      detailed_at: detailed ? now : (before?.detailed_at ?? null),
    };
    let id: string;
    if (before === undefined) {
      id = newId('psg', now);
      const joined = (await findHome(tx, orgId, keys, undefined)) ?? (await newHome(tx, ground));
      touched.add(joined.property_id);
      await tx
        .insertInto('property_sightings')
        .values({
          org_id: orgId,
          id,
          connection_id: source.connectionId,
          provider: source.provider,
          external_id: externalId,
          said: said ? 1 : 0,
          first_seen_at: now,
          ...joined,
          ...columns,
        })
        .execute();
    } else {
      id = before.id;
      touched.add(before.property_id);
      const { property_id, joined_by, joined_why } = sameKeys(before, keys)
        ? before
        : await placeAgain(tx, ground, before, keys);
      touched.add(property_id);
      await tx
        .updateTable('property_sightings')
        .set({ ...columns, property_id, joined_by, joined_why })
        .where('org_id', '=', orgId)
        .where('id', '=', id)
        .execute();
    }
    await addPrices(tx, ground, id, sighting.prices);
  }
  return touched;
}

/** A person's word on which home a sighting is of; `to` left out: one of its own. @returns that home */
export async function moveSighting(
  tx: Tx,
  given: { orgId: string; row: SightingRow; to: string | undefined; said: string; now: number },
): Promise<string> {
  const { orgId, row, to, said, now } = given;
  const source = { connectionId: row.connection_id, provider: row.provider };
  const home = to ?? (await newHome(tx, { orgId, source, now })).property_id;
  await tx
    .updateTable('property_sightings')
    .set({ property_id: home, joined_by: 'person', joined_why: said })
    .where('org_id', '=', orgId)
    .where('id', '=', row.id)
    .execute();
  return home;
}

/** Takes away what stood in these documents. @returns the homes that changed */
export async function dropSightings(
  tx: Tx,
  orgId: string,
  documentIds: readonly string[],
): Promise<Set<string>> {
  const touched = new Set<string>();
  for (const some of parts(documentIds, idsAtOnce)) {
    const rows = await tx
      .selectFrom('property_sightings')
      .select(['id', 'property_id'])
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .execute();
    for (const row of rows) touched.add(row.property_id);
    // Prices go with their sighting.
    if (rows.length > 0) {
      await tx
        .deleteFrom('property_sightings')
        .where('org_id', '=', orgId)
        .where('document_id', 'in', some)
        .execute();
    }
    await tx
      .deleteFrom('property_documents')
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .execute();
  }
  return touched;
}

/** Reads sightings anew whose keys another version of normalising made. @returns the homes that changed */
export async function readAnew(tx: Tx, orgId: string, now: number, atMost: number): Promise<number> {
  const rows = await tx
    .selectFrom('property_sightings')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('reading', '!=', keysReading)
    .orderBy('id')
    .limit(atMost)
    .execute();
  const touched = new Set<string>();
  for (const row of rows) {
    const listing = fromJson<Listing>(row.facts);
    const keys = keysOf(listing);
    const ground = { orgId, now, source: { connectionId: row.connection_id, provider: row.provider } };
    const { property_id, joined_by, joined_why } = await placeAgain(tx, ground, row, keys);
    touched.add(row.property_id).add(property_id);
    await tx
      .updateTable('property_sightings')
      .set({ ...columnsOf(keys, listing), property_id, joined_by, joined_why })
      .where('org_id', '=', orgId)
      .where('id', '=', row.id)
      .execute();
  }
  await rebuild(tx, orgId, touched);
  return rows.length;
}
