// Takes the front of a record away, once a cut says how far. The database judges that again by itself
// (migrations/0005-erasure.ts): what no cut covers, or is younger than a year, it does not let go.
import { sql, type Transaction } from 'kysely';
import type { OrgStore } from './store.ts';
import type { OrgTables } from './tables.ts';

/** Entries up to `seq` and their values, in the transaction that inserted the cut. */
export async function deleteCutEntries(
  tx: Transaction<OrgTables>,
  { orgId, dialect }: Pick<OrgStore, 'orgId' | 'dialect'>,
  seq: number,
): Promise<void> {
  await tx.deleteFrom('audit_values').where('org_id', '=', orgId).where('seq', '<=', seq).execute();
  if (dialect === 'postgres') await sql`select cut_audit(${seq}::bigint)`.execute(tx);
  else await tx.deleteFrom('audit_log').where('org_id', '=', orgId).where('seq', '<=', seq).execute();
}
