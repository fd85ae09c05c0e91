// Makes a PostgreSQL database ready for migrations: the schema, and the role under which every org's
// transaction runs. That role owns nothing and obeys row security, or the store does not open.
import { type Kysely, sql } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import { appRole } from '../migrations/row-security.ts';
import { schema, sqlState } from './driver.ts';

const oldestVersion = 150_000;

/**
 * Runs inside a transaction that holds the migration lock.
 * @throws DrawbridgeError `permission_denied` saying what an administrator must run.
 */
export async function prepare(tx: Kysely<unknown>): Promise<void> {
  await checkVersion(tx);
  await whenAllowed(`create schema ${schema} authorization "${await user(tx)}"`, async () => {
    // `if not exists` asks for the right to create even when there is nothing to do.
    if (!(await exists(tx, sql`select 1 from pg_namespace where nspname = ${schema}`))) {
      await sql`create schema ${sql.id(schema)}`.execute(tx);
    }
  });
  await whenAllowed(`create role ${appRole} nologin; grant ${appRole} to "${await user(tx)}"`, async () => {
    if (!(await exists(tx, sql`select 1 from pg_roles where rolname = ${appRole}`))) await createRole(tx);
    if (!(await exists(tx, sql`select 1 where pg_has_role(current_user, ${appRole}, 'member')`))) {
      await sql`grant ${sql.id(appRole)} to current_user`.execute(tx);
    }
    await sql`set local role ${sql.id(appRole)}`.execute(tx);
    await sql`reset role`.execute(tx);
  });
  await checkRole(tx);
  await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(appRole)}`.execute(tx);
}

async function checkVersion(tx: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{
    version: string;
  }>`select current_setting('server_version_num') as version`.execute(tx);
  const version = Number(rows[0]?.version);
  if (version < oldestVersion) {
    throw new DrawbridgeError(
      'invalid_request',
      `PostgreSQL 15 or newer is needed; the database runs ${Math.floor(version / 10_000)}.`,
    );
  }
}

/** Roles belong to the whole server: another database's start may be making it at this moment. */
async function createRole(tx: Kysely<unknown>): Promise<void> {
  await sql`
    do $$ begin
      create role ${sql.id(appRole)} nologin;
      grant ${sql.id(appRole)} to current_user;
    exception when duplicate_object or unique_violation then null;
    end $$`.execute(tx);
}

async function checkRole(tx: Kysely<unknown>): Promise<void> {
  const powerful = await exists(
    tx,
    sql`select 1 from pg_roles where rolname = ${appRole} and (rolsuper or rolbypassrls)`,
  );
  const owns = await exists(
    tx,
    sql`select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
        where n.nspname = ${schema} and r.rolname = ${appRole}`,
  );
  if (powerful || owns) {
    throw new DrawbridgeError(
      'permission_denied',
      `The database role ${appRole} ${powerful ? 'bypasses row security' : 'owns tables'}, so orgs would not be kept apart. Run: alter role ${appRole} nosuperuser nobypassrls; and give its tables to another owner.`,
    );
  }
}

async function user(tx: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_user::text as name`.execute(tx);
  return rows[0]?.name ?? '';
}

async function exists(tx: Kysely<unknown>, query: ReturnType<typeof sql>): Promise<boolean> {
  return (await query.execute(tx)).rows.length > 0;
}

async function whenAllowed(remedy: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    // 42501: insufficient_privilege.
    if (sqlState(thrown) !== '42501') throw thrown;
    throw new DrawbridgeError(
      'permission_denied',
      `The database user may not prepare the database. An administrator must run once: ${remedy};`,
      { cause: thrown },
    );
  }
}
