// The one lock that PostgreSQL needs so that two processes proposing the same make one action. SQLite's
// write lock does the same by itself.
import { sql, type Transaction } from 'kysely';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';

/** Until the transaction ends, nobody else proposes what has this hash in this org. */
export async function lockProposal(
  tx: Transaction<OrgTables>,
  org: Pick<OrgStore, 'orgId' | 'dialect'>,
  hash: string,
): Promise<void> {
  if (org.dialect !== 'postgres') return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${org.orgId}/${hash}`}, 0))`.execute(tx);
}
