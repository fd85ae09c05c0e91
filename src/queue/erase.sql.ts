// What erasing asks of SQLite beyond its rows: that the bytes go, too.
import { sql, type Transaction } from 'kysely';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';

/**
 * From here on this connection overwrites what it frees (https://sqlite.org/pragma.html#pragma_secure_delete).
 * The write-ahead log holds the former pages until it is folded into the file. PostgreSQL frees its own by vacuum.
 */
export async function overwriteFreed(
  tx: Transaction<OrgTables>,
  { dialect }: Pick<OrgStore, 'dialect'>,
): Promise<void> {
  if (dialect === 'sqlite') await sql`pragma secure_delete = on`.execute(tx);
}
