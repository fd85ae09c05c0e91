// The one lock that PostgreSQL needs so that two processes proposing the same make one action. SQLite's
// write lock does the same by itself.
import { sql, type Transaction } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';

/** Until the transaction ends, nobody else proposes under these names (a hash, a key, a principal) in this org. */
export async function lockProposal(
  tx: Transaction<OrgTables>,
  org: Pick<OrgStore, 'orgId' | 'dialect'>,
  names: readonly string[],
): Promise<void> {
  if (org.dialect !== 'postgres') return;
  // All take them in one order, so that no two wait for each other.
  for (const name of [...names].sort()) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`${org.orgId}/${name}`}, 0))`.execute(tx);
  }
}
