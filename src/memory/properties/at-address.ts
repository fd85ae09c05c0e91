// What stands at an address, however it was written: the home, and the documents that speak of it.
import type { Kysely } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { addressKey, parseAddress, samePlace } from './address.ts';

type Db = Kysely<OrgTables>;

/** The home at an address: the whole of it, or its number and street where only one home has them. */
export async function homeAt(db: Db, orgId: string, address: string): Promise<string | undefined> {
  const rows = db
    .selectFrom('property_sightings')
    .select(['property_id', 'address_key'])
    .where('org_id', '=', orgId);
  const parsed = parseAddress(address);
  if (parsed === undefined) {
    const [row] = await rows.where('address_key', '=', addressKey(address)).limit(1).execute();
    return row?.property_id;
  }
  const line = await rows.where('line_key', '=', parsed.line).orderBy('property_id').limit(200).execute();
  const said = (wanted: 'same' | 'unsaid') => [
    ...new Set(
      line.flatMap((row) => {
        const theirs = parseAddress(row.address_key);
        return theirs !== undefined && samePlace(parsed, theirs) === wanted ? [row.property_id] : [];
      }),
    ),
  ];
  const [same] = said('same');
  const unsaid = said('unsaid');
  return same ?? (unsaid.length === 1 ? unsaid[0] : undefined);
}

const mostDocuments = 2_000;

/** Documents that show the home at this address or speak of it, however it is written there. */
export async function documentsAbout(org: OrgStore, address: string): Promise<Set<string>> {
  const parsed = parseAddress(address);
  if (parsed === undefined) return new Set();
  return org.read(async (db) => {
    const home = await homeAt(db, org.orgId, address);
    const mentions = db
      .selectFrom('property_documents')
      .select(['document_id', 'address_key'])
      .where('org_id', '=', org.orgId)
      .orderBy('document_id')
      .limit(mostDocuments);
    if (home === undefined) {
      // No home is known there: what is written alike, and not of another place.
      const rows = await mentions.where('line_key', '=', parsed.line).execute();
      const fitting = rows.filter((row) => {
        const theirs = parseAddress(row.address_key);
        return theirs !== undefined && samePlace(parsed, theirs) !== 'different';
      });
      return new Set(fitting.map((row) => row.document_id));
    }
    const rows = await mentions.where('property_id', '=', home).execute();
    const shown = await db
      .selectFrom('property_sightings')
      .select('document_id')
      .where('org_id', '=', org.orgId)
      .where('property_id', '=', home)
      .execute();
    return new Set([...rows, ...shown].flatMap((row) => row.document_id ?? []));
  });
}
