// Where PostgreSQL has pg_cron in this database, it calls `queue_due_syncs` each minute: then due syncs are queued
// though no process of ours looks.
// Source: https://github.com/citusdata/pg_cron#readme (1.4 and later).
import { type QueryExecutorProvider, sql } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import type { Store } from '../store.ts';
import { usable } from './extension.ts';

export const cronJob = 'drawbridge: due syncs';
const eachMinute = '* * * * *';

/** `absent`: it is not in this database, or not for this user. `idle`: it was not told, or was told to rest. */
export type Cron =
  | { state: 'absent' }
  | { state: 'idle' }
  | {
      state: 'carries';
      /** Integer ms, by the database's time. */
      now: number;
      lastRun: { at: number; failed: boolean; message: string } | undefined;
    };

/** pg_cron, with what is called of it. */
export const cronUsable = usable('pg_cron', 'cron', ['schedule(text,text,text)', 'unschedule(bigint)']);

async function hasCron(db: QueryExecutorProvider): Promise<boolean> {
  const { rows } = await sql`select 1 where ${cronUsable}`.execute(db);
  return rows.length > 0;
}

/** A superuser sees the jobs of others, too. */
const ourJob = sql`jobname = ${cronJob} and username = current_user and database = current_database()`;

/**
 * Tells pg_cron, where it may be told; again is the same as once. Nights are by this process's local time.
 * @returns false where it may not
 */
export async function tellCron(db: QueryExecutorProvider): Promise<boolean> {
  if (!(await hasCron(db))) return false;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const { rows } = await sql<{ command: string }>`
    select format('select drawbridge.queue_due_syncs(%L)', name) as command
    from pg_timezone_names where name = ${timeZone}`.execute(db);
  const command = rows[0]?.command;
  // A zone that the database does not know would fail each minute.
  if (command === undefined) return false;
  await sql`select cron.schedule(${cronJob}::text, ${eachMinute}::text, ${command}::text)`.execute(db);
  return true;
}

/** @throws DrawbridgeError `invalid_request` where there is no pg_cron that may be told */
export async function scheduleByCron(store: Store): Promise<void> {
  if (store.dialect === 'postgres' && (await store.control.write((tx) => tellCron(tx)))) return;
  throw new DrawbridgeError(
    'invalid_request',
    store.dialect === 'postgres'
      ? 'There is no pg_cron 1.4 here that this database user may use. An administrator runs, in the database that cron.database_name names, which must be this one: create extension pg_cron; grant usage on schema cron to the user.'
      : 'pg_cron is an extension of PostgreSQL, and the database is SQLite. Each running process looks for what is due.',
  );
}

/** pg_cron forgets it; processes look, as they always do. */
export async function unscheduleByCron(store: Store): Promise<void> {
  if (store.dialect !== 'postgres') return;
  await store.control.write(async (db) => {
    if (await hasCron(db)) await sql`select cron.unschedule(jobid) from cron.job where ${ourJob}`.execute(db);
  });
}

export async function cronOf(store: Store): Promise<Cron> {
  if (store.dialect !== 'postgres') return { state: 'absent' };
  return store.control.read(async (db) => {
    if (!(await hasCron(db))) return { state: 'absent' };
    const { rows } = await sql<{
      now: number;
      at: number | null;
      status: string | null;
      message: string | null;
    }>`
      select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now,
        floor(extract(epoch from r.start_time) * 1000)::bigint as at, r.status, r.return_message as message
      from cron.job j left join lateral (
        select start_time, status, return_message from cron.job_run_details d
        where d.jobid = j.jobid and d.status in ('succeeded', 'failed') order by d.runid desc limit 1
      ) r on true
      where j.active and ${ourJob}`.execute(db);
    const [row] = rows;
    if (row === undefined) return { state: 'idle' };
    const lastRun =
      row.status === null
        ? undefined
        : { at: row.at ?? row.now, failed: row.status === 'failed', message: row.message ?? '' };
    return { state: 'carries', now: row.now, lastRun };
  });
}
