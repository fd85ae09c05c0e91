// What the database asks for by itself is what a process would ask for, once, and each org's in its own queue.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { pgmq } from '@electric-sql/pglite-pgmq';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import { createIngestion } from '../../src/jobs/ingestion.ts';
import { ownMessages } from '../../src/jobs/messages/messages.ts';
import { requestDue, syncQueue } from '../../src/jobs/sync-requests.ts';
import { ensureSchedule } from '../../src/jobs/sync-schedule.ts';
import { usualTimes } from '../../src/jobs/sync-workers.ts';
import { openStore } from '../../src/store/open.ts';
import { cronOf, scheduleByCron, unscheduleByCron } from '../../src/store/postgres/pg-cron.ts';
import { createPgmq, hasPgmq } from '../../src/store/postgres/pgmq.ts';
import { resultParsers } from '../../src/store/postgres/source.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import type { OrgTables } from '../../src/store/tables.ts';
import { log } from '../connections/office.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { connectAccount } from '../memory/ground.ts';
import { databases, sourceOf, type TestDatabase } from '../store/databases.ts';
import { jobs, note, notesScene, type Pages, titles } from './notes-provider.ts';

const minute = 60_000;
const hour = 60 * minute;
const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();

const one: Pages = async function* (cursor) {
  if (cursor === undefined) yield { records: [note('a')], deleted: [], cursor: 1 };
};

/** What pg_cron calls. `at`: the time that it is to take for now. */
async function queueDue(store: Store, at: number | null = null): Promise<number> {
  const { rows } = await store.control.write((tx) =>
    sql<{ sent: number }>`select drawbridge.queue_due_syncs(${zone}, ${at}::bigint) as sent`.execute(tx),
  );
  return Number(rows[0]?.sent);
}

type Schedule = OrgTables['sync_schedules'];

/** Gives a connection its row, as it is to be found. */
async function setRow(
  org: OrgStore,
  connectionId: string,
  row: Partial<Schedule>,
  source: Partial<Pick<OrgTables['connected_sources'], 'state' | 'last_sync_at'>> = {},
): Promise<void> {
  await org.write(async (tx) => {
    const now = await org.now();
    await ensureSchedule(tx, org.orgId, connectionId, { now, lastSyncAt: undefined });
    await tx
      .updateTable('sync_schedules')
      .set({ updated_at: 0, ...row })
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .execute();
    if (Object.keys(source).length === 0) return;
    await tx
      .updateTable('connected_sources')
      .set(source)
      .where('org_id', '=', org.orgId)
      .where('id', '=', connectionId)
      .execute();
  });
}

/** What was asked for, by the id of the connection. */
async function asked(org: OrgStore): Promise<{ connectionId: string; cause: string }[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('messages')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('queue', '=', syncQueue)
      .orderBy('id')
      .execute(),
  );
  for (const { id, read_count, visible_at, enqueued_at } of rows) {
    expect(id).toMatch(/^msg_[0-9a-hjkmnp-tv-z]{26}$/);
    expect([read_count, visible_at]).toEqual([0, enqueued_at]);
  }
  const said = rows.map(({ message }) => JSON.parse(message) as { connectionId: string; cause: string });
  return said.sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
}

async function rowsOf(org: OrgStore): Promise<Schedule[]> {
  return org.read((db) =>
    db
      .selectFrom('sync_schedules')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .orderBy('connection_id')
      .execute(),
  );
}

/** Every case of the rule: state, pause, when it is next, since when it waits, how often, whether it was synced. */
function cases(now: number) {
  const whens = { ago: now - 2 * hour, ahead: now + 2 * hour };
  const waits = { no: null, short: now - minute, long: now - 16 * minute };
  return [
    ...Object.values(whens).flatMap((next_at) =>
      Object.values(waits).flatMap((waiting_since) =>
        [0, 1].map((paused) => ({ row: { next_at, waiting_since, paused }, source: {} })),
      ),
    ),
    ...(['PENDING', 'EXPIRED', 'REVOKED', 'DEGRADED', 'ERROR'] as const).map((state) => ({
      row: { next_at: whens.ago },
      source: { state },
    })),
    { row: { next_at: whens.ago - minute, every_ms: 6 * hour }, source: { last_sync_at: now - 7 * hour } },
    { row: { next_at: whens.ago, failures: 3 }, source: { last_sync_at: now - 30 * hour } },
  ];
}

async function manyAccounts(database: TestDatabase, count: number) {
  const all = await notesScene({ notes: one }, { database });
  const ids = [all.connection.id];
  for (let n = 1; n < count; n += 1) {
    const made = await all.connections.connect(all.org, 'notes', {
      fields: { user: `user${n}` },
      secrets: {},
    });
    ids.push(made.id);
  }
  return { ...all, ids, parts: { connections: all.connections, messages: ownMessages } };
}

describe.each(databases.filter(({ dialect }) => dialect === 'postgres'))('on $name', (database) => {
  test('it asks for the same as a process that looks, for the same reason, and notes the same', async () => {
    const now = database.name === 'PGlite' ? manualClock().now() : undefined;
    const count = cases(0).length;
    const { org, store, ids, parts } = await manyAccounts(database, count);
    const at = now ?? (await store.control.now());
    const prepare = async () => {
      await org.write((tx) => tx.deleteFrom('messages').where('org_id', '=', org.orgId).execute());
      for (const [n, { row, source }] of cases(at).entries()) {
        const plain = { every_ms: null, paused: 0, failures: 0, waiting_since: null };
        await setRow(org, ids[n] ?? '', { ...plain, ...row }, source);
      }
    };
    // The time of a server goes on meanwhile.
    const noted = async () =>
      (await rowsOf(org)).map((row) =>
        now === undefined ? { id: row.connection_id, waits: (row.waiting_since ?? 0) >= at } : row,
      );
    await prepare();
    await requestDue(org, parts, new Set());
    const byProcess = { messages: await asked(org), rows: await noted() };
    await prepare();
    const sent = await queueDue(store, now ?? null);
    expect({ messages: await asked(org), rows: await noted() }).toEqual(byProcess);
    expect(byProcess.messages).toHaveLength(sent);
    // Of 19: due and awake, or waiting for too long, in a state in which calls are made.
    expect(sent).toBe(9);
    expect(new Set(byProcess.messages.map(({ cause }) => cause))).toEqual(new Set(['connect', 'schedule']));
  });

  test('together with processes that look at the same time, each sync is asked for once', async () => {
    const { org, store, ids, parts, clock } = await manyAccounts(database, 6);
    const at = database.name === 'PGlite' ? clock.now() : null;
    for (let round = 0; round < 5; round += 1) {
      await org.write((tx) => tx.deleteFrom('messages').where('org_id', '=', org.orgId).execute());
      for (const id of ids) await setRow(org, id, { next_at: 1, waiting_since: null });
      await Promise.all([
        requestDue(org, parts, new Set()),
        queueDue(store, at),
        requestDue(org, parts, new Set()),
        queueDue(store, at),
      ]);
      const sent = (await asked(org)).map(({ connectionId }) => connectionId);
      expect(sent).toEqual([...ids].sort());
    }
  });

  test('each org has its own in its own queue, though their ids are the same', async () => {
    const opened = await database.open();
    onTestFinished(() => opened.close());
    const { store } = opened;
    const orgs = [];
    for (const name of ['Harbour Homes', 'Quay Lettings', 'Idle']) {
      const org = await store.forOrg(await store.createOrg(name));
      await connectAccount(org, 'con_same', 'notes', 1);
      if (name !== 'Idle') await setRow(org, 'con_same', { next_at: 1 }, { state: 'ACTIVE' });
      orgs.push(org);
    }
    expect(await queueDue(store)).toBe(2);
    const theirs = await Promise.all(orgs.map(asked));
    const message = { connectionId: 'con_same', cause: 'connect' };
    expect(theirs).toEqual([[message], [message], []]);
    expect(await queueDue(store)).toBe(0);
  });

  test('no org may have it run, and nothing of it is open to others', async () => {
    const opened = await database.open();
    onTestFinished(() => opened.close());
    const org = await opened.store.forOrg(await opened.store.createOrg('Harbour Homes'));
    const calls = [
      sql`select drawbridge.queue_due_syncs('UTC')`,
      sql`select drawbridge.send_message('org_other', 'sync', '{}', 1, 1)`,
      sql`select drawbridge.waits_in_queue('org_other', 'sync', 'con_1')`,
    ];
    for (const call of calls)
      await expect(org.write((tx) => call.execute(tx))).rejects.toThrow('permission denied');
    const [definer] = await opened.admin(`
      select p.prosecdef as definer, p.proconfig as config, pg_get_userbyid(p.proowner) as owner
      from pg_proc p where p.oid = 'drawbridge.queue_due_syncs(text,bigint)'::regprocedure`);
    expect(definer).toMatchObject({ config: ['search_path=drawbridge, pg_temp'] });
    expect(Boolean(definer?.['definer'])).toBe(true);
    expect(definer?.['owner']).not.toBe('drawbridge_app');
  });

  test('whose rows a transaction sees is after it as it was before', async () => {
    const opened = await database.open();
    onTestFinished(() => opened.close());
    const { store } = opened;
    const org = await store.forOrg(await store.createOrg('Harbour Homes'));
    await connectAccount(org, 'con_1', 'notes', 1);
    await setRow(org, 'con_1', { next_at: 1 }, { state: 'ACTIVE' });
    const setting = await store.control.write(async (tx) => {
      await sql`select drawbridge.queue_due_syncs('UTC')`.execute(tx);
      const { rows } = await sql<{
        org: string | null;
      }>`select current_setting('drawbridge.org_id', true) as org`.execute(tx);
      return rows[0]?.org;
    });
    expect(setting).toBe('');
  });

  test('while nobody takes messages none is added; one that was lost is sent again', async () => {
    const opened = await database.open();
    onTestFinished(() => opened.close());
    const { store } = opened;
    const org = await store.forOrg(await store.createOrg('Harbour Homes'));
    await connectAccount(org, 'con_1', 'notes', 1);
    await setRow(org, 'con_1', { next_at: 1 }, { state: 'ACTIVE' });
    expect(await queueDue(store)).toBe(1);
    await setRow(org, 'con_1', { waiting_since: 1 });
    expect(await queueDue(store)).toBe(0);
    expect(await asked(org)).toHaveLength(1);
    await org.write((tx) => tx.deleteFrom('messages').where('org_id', '=', org.orgId).execute());
    expect(await queueDue(store)).toBe(1);
  });
});

test('what the database asked for is synced, once, by whichever process comes', async () => {
  const database = databases.find(({ name }) => name === 'PGlite');
  const all = await notesScene({ notes: one }, database === undefined ? {} : { database });
  const { org, store, connection, clock } = all;
  await setRow(org, connection.id, { next_at: clock.now() - minute });
  expect(await queueDue(store, clock.now())).toBe(1);
  const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
  const ingestion = createIngestion({ ...all, audit, log });
  const times = { ...usualTimes, firstMs: 0 };
  const workers = ingestion.start(async () => [org], { workers: 2, times });
  onTestFinished(() => workers.stop());
  clock.advance(0);
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
  await expect.poll(async () => (await ingestion.metrics(org)).length, { timeout: 30_000 }).toBe(0);
  expect((await jobs(all)).map(({ cause, state }) => ({ cause, state }))).toEqual([
    { cause: 'connect', state: 'completed' },
  ]);
  expect(await queueDue(store, clock.now())).toBe(0);
});

test('where there is pgmq, it goes into its queues', async () => {
  const db = await PGlite.create({ extensions: { pgmq }, parsers: { ...resultParsers } });
  onTestFinished(() => db.close());
  await db.exec('create extension pgmq');
  const clock = manualClock();
  const store = await openStore({
    config: { home: '', databaseUrl: undefined },
    clock,
    log,
    postgres: sourceOf(db),
  });
  expect(await hasPgmq(store)).toBe(true);
  const org = await store.forOrg(await store.createOrg('Harbour Homes'));
  await connectAccount(org, 'con_1', 'notes', 1);
  await setRow(org, 'con_1', { next_at: 1 }, { state: 'ACTIVE' });
  expect(await queueDue(store)).toBe(1);
  await setRow(org, 'con_1', { waiting_since: 1 });
  expect(await queueDue(store)).toBe(0);
  expect(await asked(org)).toEqual([]);
  const messages = createPgmq(store);
  const [message, ...others] = await messages.read(org, syncQueue, { visibleInMs: minute, quantity: 5 });
  expect(message).toMatchObject({ readCount: 1, body: { connectionId: 'con_1', cause: 'connect' } });
  expect(others).toEqual([]);
  await messages.archive(org, syncQueue, message?.id ?? '');
  expect(await queueDue(store)).toBe(1);
});

test('its nights are those of a process, wherever that is, also when clocks change', async () => {
  const database = databases.find(({ name }) => name === 'PGlite');
  const opened = await database?.open();
  if (opened === undefined) throw new Error('PGlite is among the databases');
  onTestFinished(() => opened.close());
  const from = Date.UTC(2026, 0, 1, 0, 30);
  const times = Array.from({ length: 365 * 4 }, (_, n) => from + n * 6 * hour + ((n * 7919) % 3_600) * 1_000);
  const ids = ['con_1', 'con_01kx3v', 'con_ü'];
  const schedule = pathToFileURL(join(import.meta.dirname, '../../src/jobs/sync-schedule.ts')).href;
  const script = `const { nextRun } = await import(${JSON.stringify(schedule)});
    const [times, ids] = ${JSON.stringify([times, ids])};
    console.log(JSON.stringify(times.map((at, n) => nextRun(ids[n % ids.length], null, at))));`;
  for (const place of ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC']) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env: { ...process.env, TZ: place } },
    );
    const { rows } = await opened.store.control.read((db) =>
      sql<{ at: number }>`
        select drawbridge.next_sync((${JSON.stringify(ids)}::json ->> (((n - 1) % ${ids.length})::integer)),
          null, at.value::bigint, ${place}) as at
        from json_array_elements_text(${JSON.stringify(times)}::json) with ordinality as at(value, n)
        order by n`.execute(db),
    );
    expect(
      rows.map(({ at }) => Number(at)),
      place,
    ).toEqual(JSON.parse(stdout));
  }
});

test('SQLite has nothing to tell, and says so', async () => {
  const opened = await databases.find(({ name }) => name === 'SQLite')?.open();
  if (opened === undefined) throw new Error('SQLite is among the databases');
  onTestFinished(() => opened.close());
  await unscheduleByCron(opened.store);
  expect(await cronOf(opened.store)).toEqual({ state: 'absent' });
  await expect(scheduleByCron(opened.store)).rejects.toThrow('the database is SQLite');
});
