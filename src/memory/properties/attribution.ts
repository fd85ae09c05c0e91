// The lines that the source of a listing wants shown with it, whatever shows it.
import type { Kysely } from 'kysely';
import type { Listing } from '../../providers/capabilities.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';

/** Of the listings that these documents are, by document; those without such lines are not among them. */
export async function attributionOf(
  db: Kysely<OrgTables>,
  orgId: string,
  documentIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (documentIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('property_sightings')
    .select(['document_id', 'facts'])
    .where('org_id', '=', orgId)
    .where('said', '=', 0)
    .where('document_id', 'in', documentIds)
    .execute();
  return new Map(
    rows.flatMap(({ document_id, facts }) => {
      const { attribution = [] } = fromJson<Partial<Listing>>(facts);
      return document_id === null || attribution.length === 0 ? [] : [[document_id, attribution] as const];
    }),
  );
}
