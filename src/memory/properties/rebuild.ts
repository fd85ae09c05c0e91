// A home made anew from all that shows it, after something came, changed or went.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import { parseAddress } from './address.ts';
import { findHome } from './home.ts';
import type { Keys } from './keys.ts';
import { mainSighting, mergedListing, type SightingRow } from './merge.ts';

type Tx = Transaction<OrgTables>;

/** Makes homes anew from their sightings; one of whom nothing is left goes, and mentions of it wait for another. */
export async function rebuild(tx: Tx, orgId: string, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    const rows = await tx
      .selectFrom('property_sightings')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('property_id', '=', id)
      .orderBy('id')
      .execute();
    const listing = mergedListing(rows);
    const main = mainSighting(rows);
    if (listing === undefined || main === undefined) {
      await tx
        .updateTable('property_documents')
        .set({ property_id: null })
        .where('org_id', '=', orgId)
        .where('property_id', '=', id)
        .execute();
      await tx.deleteFrom('external_properties').where('org_id', '=', orgId).where('id', '=', id).execute();
      continue;
    }
    await tx
      .updateTable('external_properties')
      .set({
        address: listing.address,
        address_key: main.address_key,
        city: listing.city ?? null,
        region: listing.region ?? null,
        postal_code: listing.postalCode ?? null,
        status: listing.status ?? null,
        home_type: listing.homeType?.toLowerCase() ?? null,
        price: listing.price ?? null,
        currency: listing.currency ?? null,
        beds: listing.beds ?? null,
        baths: listing.baths ?? null,
        area_sqft: listing.areaSqft ?? null,
        first_seen_at: Math.min(...rows.map((row) => row.first_seen_at)),
        fetched_at: main.fetched_at,
      })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
    await findMentions(tx, orgId, id, rows);
  }
}

/** Mentions that waited for this home to be known. */
async function findMentions(tx: Tx, orgId: string, id: string, rows: readonly SightingRow[]): Promise<void> {
  const lines = [...new Set(rows.flatMap((row) => row.line_key ?? []))];
  if (lines.length === 0) return;
  const waiting = await tx
    .selectFrom('property_documents')
    .select(['document_id', 'address_key'])
    .where('org_id', '=', orgId)
    .where('line_key', 'in', lines)
    .where('property_id', 'is', null)
    .execute();
  const found = new Map<string, boolean>();
  for (const { address_key } of waiting) {
    if (found.has(address_key)) continue;
    const address = parseAddress(address_key);
    const keys: Keys = { address, addressKey: address_key, parcel: undefined, mlsNumber: undefined };
    found.set(address_key, (await findHome(tx, orgId, keys, undefined))?.property_id === id);
  }
  for (const [addressKey, is] of found) {
    if (!is) continue;
    await tx
      .updateTable('property_documents')
      .set({ property_id: id })
      .where('org_id', '=', orgId)
      .where('address_key', '=', addressKey)
      .where('property_id', 'is', null)
      .execute();
  }
}
