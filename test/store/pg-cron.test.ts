// pg_cron calls the function that asks for due syncs: on a real server that has it, in the database that is its own.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { checkSchedule } from '../../src/commands/doctor/rooms.ts';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import { cronJob, cronOf, scheduleByCron, unscheduleByCron } from '../../src/store/postgres/pg-cron.ts';
import type { Store } from '../../src/store/store.ts';
import { connectAccount } from '../memory/ground.ts';
import { serverUrl } from './databases.ts';

/** Why it cannot be tried here; undefined: it can. */
async function missing(): Promise<string | undefined> {
  if (serverUrl === undefined) return 'TEST_DATABASE_URL names no server';
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ own: boolean | null }>(
      "select current_setting('cron.database_name', true) = current_database() as own",
    );
    return rows[0]?.own === true ? undefined : 'the server was not started with pg_cron for this database';
  } finally {
    await client.end();
  }
}
const reason = await missing();

interface Place {
  admin(sql: string): Promise<Record<string, unknown>[]>;
  /** As the user whose database it is, without the store. */
  own(sql: string): Promise<Record<string, unknown>[]>;
  open(): Promise<Store>;
  user: string;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** pg_cron's own database, with a user who is no superuser; without `mayUse`, one to whom its schema is closed. */
async function cronDatabase({ mayUse = true } = {}): Promise<Place> {
  const server = serverUrl ?? '';
  const admin = (sql: string) => query(server, sql);
  const user = `drawbridge_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.username = user;
  url.password = 'secret';
  await admin(`create role ${user} login password 'secret'`);
  await admin(`do $$ begin
    begin create role drawbridge_app nologin; exception when duplicate_object or unique_violation then null; end;
    grant drawbridge_app to ${user};
    execute format('grant create on database %I to ${user}', current_database());
  end $$`);
  await admin('create extension if not exists pg_cron');
  if (mayUse) await admin(`grant usage on schema cron to ${user}`);
  const opened: Store[] = [];
  onTestFinished(async () => {
    for (const store of opened) await store.close();
    await admin(`select cron.unschedule(jobid) from cron.job where username = '${user}'`);
    // A run that began at this very minute.
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${user}'`);
    await admin(`delete from cron.job_run_details where username = '${user}'`);
    await admin(`drop schema if exists drawbridge cascade; drop owned by ${user} cascade; drop role ${user}`);
  });
  const config = { home: '', databaseUrl: new Secret(url.href) };
  return {
    admin,
    user,
    own: (sql) => query(url.href, sql),
    async open() {
      const store = await openStore({ config, clock: systemClock, log: createLog({ level: 'silent' }) });
      opened.push(store);
      return store;
    },
  };
}

const jobsOf = ({ admin, user }: Place) =>
  admin(
    `select jobname, schedule, command, database, active from cron.job where username = '${user}' order by jobid`,
  );

beforeEach(({ skip }) => {
  if (reason !== undefined) skip(reason);
});

test('a database that has pg_cron is told as it is made ready, once, however often it is told', async () => {
  const place = await cronDatabase();
  const store = await place.open();
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const job = {
    jobname: cronJob,
    schedule: '* * * * *',
    command: `select drawbridge.queue_due_syncs('${timeZone}')`,
    database: new URL(serverUrl ?? '').pathname.slice(1),
    active: true,
  };
  expect(await jobsOf(place)).toEqual([job]);
  await scheduleByCron(store);
  await place.open();
  expect(await jobsOf(place)).toEqual([job]);
});

test('what it is told to run asks for a due sync, as a user that sees no row by itself', async () => {
  const place = await cronDatabase();
  const store = await place.open();
  const org = await store.forOrg(await store.createOrg('Harbour Homes'));
  await connectAccount(org, 'con_1', 'notes', 1);
  await org.write((tx) =>
    tx
      .insertInto('sync_schedules')
      .values({
        org_id: org.orgId,
        connection_id: 'con_1',
        every_ms: null,
        paused: 0,
        next_at: 1,
        failures: 0,
        last_error: null,
        full_wanted: 0,
        waiting_since: null,
        live_before: null,
        forgotten: 0,
        asked_at: null,
        updated_at: 1,
      })
      .execute(),
  );
  const [job] = await jobsOf(place);
  expect(await place.own('select * from drawbridge.sync_schedules')).toEqual([]);
  await place.own(String(job?.['command']));
  // pg_cron may do so, too, at this very minute: then it is there when that is done.
  await expect
    .poll(() => place.admin('select org_id, queue, message::json as body from drawbridge.messages'))
    .toEqual([{ org_id: org.orgId, queue: 'sync', body: { connectionId: 'con_1', cause: 'connect' } }]);
});

test('it is let be again, and the next start does not tell it anew; processes look as before', async () => {
  const place = await cronDatabase();
  const store = await place.open();
  await unscheduleByCron(store);
  await unscheduleByCron(store);
  expect(await jobsOf(place)).toEqual([]);
  await place.open();
  expect(await jobsOf(place)).toEqual([]);
  expect(await cronOf(store)).toEqual({ state: 'idle' });
  const [check] = await checkSchedule({ store });
  expect(check).toMatchObject({ state: 'ok', mend: expect.stringContaining('drawbridge sync --pg-cron on') });
});

test('doctor tells when it last ran, that a run failed, and that there are none; old runs are forgotten', async () => {
  const place = await cronDatabase();
  const store = await place.open();
  const told = async () => {
    const [check] = await checkSchedule({ store });
    return `${check?.state}: ${check?.message}`;
  };
  // Beyond all that pg_cron numbers meanwhile.
  const ran = (id: number, status: string, ago: string) =>
    place.admin(`insert into cron.job_run_details (jobid, runid, database, username, command, status, return_message,
        start_time, end_time)
      select jobid, ${9_000_000_000 + id}, database, username, command, '${status}', 'permission denied\n',
        now() - interval '${ago}', now() from cron.job where username = '${place.user}'`);
  const carried = 'pg_cron asks each minute for syncs that are due; last';
  await ran(0, 'succeeded', '8 days');
  await ran(1, 'succeeded', '3 days');
  expect(await told()).toBe(`warning: ${carried} 3 days ago`);
  await ran(2, 'succeeded', '30 seconds');
  expect(await told()).toBe(`ok: ${carried} less than a minute ago`);
  await ran(3, 'failed', '10 seconds');
  expect(await told()).toBe(`warning: ${carried} less than a minute ago, and failed: permission denied`);
  await place.own("select drawbridge.queue_due_syncs('UTC')");
  const kept = await place.admin(
    `select runid::text from cron.job_run_details where username = '${place.user}' and runid >= 9000000000`,
  );
  expect(kept.map(({ runid }) => runid).sort()).toEqual(['9000000001', '9000000002', '9000000003']);
});

test('a user to whom it is closed works as if there were none, and is told who opens it', async () => {
  const place = await cronDatabase({ mayUse: false });
  const store = await place.open();
  expect(await cronOf(store)).toEqual({ state: 'absent' });
  expect(await checkSchedule({ store })).toEqual([]);
  await expect(scheduleByCron(store)).rejects.toThrow('grant usage on schema cron');
  await unscheduleByCron(store);
  await place.own("select drawbridge.queue_due_syncs('UTC')");
  expect(await jobsOf(place)).toEqual([]);
});
