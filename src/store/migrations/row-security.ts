// PostgreSQL's guard around each org's rows: decided by the database, for a role that owns nothing.
import { type Kysely, sql } from 'kysely';

/** The role that every transaction of an org takes on. */
export const appRole = 'drawbridge_app';
/** The setting, local to a transaction, that names the org. Unset, no row is visible. */
export const orgSetting = 'drawbridge.org_id';

/**
 * Only rows whose `column` is the transaction's org can be read or written by the app role, and, unless
 * `ownerSees`, by the table's owner.
 */
export async function guardTable(
  tx: Kysely<unknown>,
  table: string,
  { column, ownerSees, may }: { column: string; ownerSees: boolean; may: 'read' | 'append' | 'write' },
): Promise<void> {
  const name = sql.table(table);
  await sql`alter table ${name} enable row level security`.execute(tx);
  if (!ownerSees) await sql`alter table ${name} force row level security`.execute(tx);
  const mine = sql`${sql.ref(column)} = current_setting(${sql.lit(orgSetting)}, true)`;
  await sql`create policy one_org on ${name} using (${mine}) with check (${mine})`.execute(tx);
  const verbs = {
    read: sql`select`,
    append: sql`select, insert`,
    write: sql`select, insert, update, delete`,
  }[may];
  await sql`grant ${verbs} on ${name} to ${sql.id(appRole)}`.execute(tx);
}
