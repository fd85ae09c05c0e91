// Brings a database's schema up to date. Each migration is one transaction under the write lock, with its own
// version row: two starts at once end in one result, and a kill in the middle resumes.
import type { Kysely, Transaction } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import { createKit } from './migrations/kit.ts';
import type { Migration } from './migrations/migration.ts';

interface Versions {
  schema_migrations: { number: number; name: string; applied_at: number };
}

export interface Target {
  dialect: 'sqlite' | 'postgres';
  /** Which steps this database takes. */
  parts: readonly ('control' | 'org')[];
  orgId?: string;
  /** What the database is called in an error. */
  name: string;
  /** One transaction that holds the write lock from its beginning. */
  locked(work: (tx: Transaction<unknown>) => Promise<void>): Promise<void>;
  now(): number;
}

/** @throws DrawbridgeError `conflict` when a newer Drawbridge has been here. */
export async function migrate(target: Target, migrations: readonly Migration[]): Promise<void> {
  for (;;) {
    let done = true;
    await target.locked(async (tx) => {
      const next = await nextFor(target, tx as unknown as Kysely<Versions>, migrations);
      if (next === undefined) return;
      done = false;
      const kit = createKit(target.dialect, tx, target.orgId);
      for (const part of target.parts) await next[part]?.(kit);
      await (tx as unknown as Kysely<Versions>)
        .insertInto('schema_migrations')
        .values({ number: next.number, name: next.name, applied_at: target.now() })
        .execute();
    });
    if (done) return;
  }
}

/** The lowest migration that this database has not seen. */
async function nextFor(
  target: Target,
  tx: Kysely<Versions>,
  migrations: readonly Migration[],
): Promise<Migration | undefined> {
  await tx.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('number', 'integer', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('applied_at', 'bigint', (c) => c.notNull())
    .execute();
  const rows = await tx.selectFrom('schema_migrations').select('number').execute();
  const applied = new Set(rows.map((row) => Number(row.number)));
  const newest = Math.max(0, ...applied);
  const known = Math.max(0, ...migrations.map((migration) => migration.number));
  if (newest > known) {
    throw new DrawbridgeError(
      'conflict',
      `${target.name} was written by a newer Drawbridge (its schema is ${newest}, this program knows ${known}). Update Drawbridge, or give this one another DRAWBRIDGE_HOME.`,
    );
  }
  return migrations
    .filter((migration) => !applied.has(migration.number))
    .sort((a, b) => a.number - b.number)[0];
}
