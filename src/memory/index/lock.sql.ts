// One ingest at a time for an org: chunk numbers and thread neighbours are read and written together.
import { sql, type Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';

/** Held until the transaction ends. SQLite's write lock is one already. */
export async function lockIngest(
  tx: Transaction<OrgTables>,
  dialect: 'sqlite' | 'postgres',
  orgId: string,
): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`ingest ${orgId}`}, 0))`.execute(tx);
}
