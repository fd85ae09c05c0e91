// Syncs that run by themselves: when they are due, when somebody asks, in turns between orgs, again after a
// failure, and by another process after one that died.
import { expect, onTestFinished, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import type { Connection } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { createIngestion, type Ingestion } from '../../src/jobs/ingestion.ts';
import { ownMessages } from '../../src/jobs/messages/messages.ts';
import { syncQueue } from '../../src/jobs/sync-requests.ts';
import { backOff, everyWords, nextRun, parseEvery } from '../../src/jobs/sync-schedule.ts';
import { type SyncWorkers, usualTimes as serving } from '../../src/jobs/sync-workers.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { log } from '../connections/office.ts';
import { databases, type TestDatabase } from '../store/databases.ts';
import { jobs, type NotesScene, note, notesScene, type Pages, titles } from './notes-provider.ts';

const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
const hour = 3_600_000;
const usualTimes = { ...serving, firstMs: 0 };

interface Scene extends NotesScene {
  ingestion: Ingestion;
  /** Begins to work, and ends with the test. */
  start(workers?: number, orgs?: OrgStore[]): SyncWorkers;
  /** All that is asked for has been done. */
  idle(org?: OrgStore): Promise<void>;
  state(connection?: Connection): ReturnType<typeof stateOf>;
}

async function stateOf(ingestion: Ingestion, org: OrgStore, id: string) {
  const [state] = await ingestion.states(org, [id]);
  if (state === undefined) throw new Error('each id has its state');
  return state;
}

async function scene(feeds: Record<string, Pages>, database?: TestDatabase): Promise<Scene> {
  const all = await notesScene(feeds, database === undefined ? {} : { database });
  const ingestion = createIngestion({ ...all, audit, log });
  return {
    ...all,
    ingestion,
    start(workers = 2, orgs = [all.org]) {
      const started = ingestion.start(async () => orgs, { workers, times: usualTimes });
      onTestFinished(() => started.stop());
      all.clock.advance(0);
      return started;
    },
    async idle(org = all.org) {
      await expect
        .poll(async () => (await ingestion.metrics(org)).length, { timeout: 30_000, interval: 10 })
        .toBe(0);
      await all.clock.asleep((ms) => ms === usualTimes.pollMs);
    },
    state: (connection = all.connection) => stateOf(ingestion, all.org, connection.id),
  };
}

const one: Pages = async function* (cursor) {
  if (cursor === undefined) yield { records: [note('a')], deleted: [], cursor: 1 };
};

test('an account that was connected is synced without anybody asking, and again the night after', async () => {
  let run = 0;
  const all = await scene({
    async *notes() {
      run += 1;
      yield { records: [note(`run ${run}`)], deleted: [], cursor: run };
    },
  });
  all.start();
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['run 1']);
  await all.idle();
  const { schedule, last } = await all.state();
  expect(last).toMatchObject({ state: 'completed', cause: 'connect', inserted: 1 });
  const wait = (schedule?.nextAt ?? 0) - all.clock.now();
  expect(wait).toBeGreaterThan(60_000);
  expect(wait).toBeLessThan(29 * hour);
  expect([2, 3, 4]).toContain(new Date(schedule?.nextAt ?? 0).getHours());
  all.clock.advance(wait);
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['run 1', 'run 2']);
  await all.idle();
  expect((await all.state()).last).toMatchObject({ cause: 'schedule' });
});

test('PostgreSQL does the same: asked for, synced, and nothing left over', async () => {
  const all = await scene(
    { notes: one },
    databases.find(({ name }) => name === 'PGlite'),
  );
  const { org, connection, ingestion } = all;
  await ingestion.request(org, connection.id, { cause: 'webhook' });
  all.start();
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
  await all.idle();
  expect((await all.state()).last).toMatchObject({ state: 'completed', cause: 'webhook', inserted: 1 });
});

test('asking twice before it begins is asking once; a webhook asks nothing of one that is paused, a person does', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion } = all;
  await ingestion.change(org, connection, { paused: true });
  expect(await ingestion.request(org, connection.id, { cause: 'webhook' })).toBe(false);
  expect(await ingestion.request(org, connection.id, { cause: 'person' })).toBe(true);
  expect(await ingestion.request(org, connection.id, { cause: 'person' })).toBe(true);
  expect(await ingestion.metrics(org)).toMatchObject({ length: 1 });
  expect((await all.state()).schedule).toMatchObject({ paused: true, waitingSince: all.clock.now() });
  all.start();
  await all.idle();
  expect((await jobs(all)).map(({ state, cause }) => ({ state, cause }))).toEqual([
    { state: 'completed', cause: 'person' },
  ]);
  expect((await all.state()).schedule?.waitingSince).toBeUndefined();
  all.clock.advance(8 * 24 * hour);
  await all.clock.asleep((ms) => ms === usualTimes.pollMs);
  expect(await ingestion.metrics(org)).toMatchObject({ length: 0 });
  expect(await jobs(all)).toHaveLength(1);
});

test('how often is a person’s choice', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion } = all;
  all.start();
  await expect.poll(async () => (await jobs(all))[0]?.state, { timeout: 30_000 }).toBe('completed');
  await all.idle();
  const synced = await all.connections.get(org, connection.id);
  await ingestion.change(org, synced, { everyMs: parseEvery('6h') });
  expect((await all.state()).schedule).toMatchObject({
    everyMs: 6 * hour,
    nextAt: all.clock.now() + 6 * hour,
  });
  expect(everyWords(6 * hour)).toBe('every 6 hours');
  expect(parseEvery('nightly')).toBeNull();
  for (const wrong of ['1m', '8d', 'often', '-1h', ''])
    expect(() => parseEvery(wrong)).toThrow('no time between syncs');
});

test('the nights of different accounts begin at different times, and always ahead', () => {
  const now = Date.UTC(2026, 2, 28, 23, 30);
  const times = ['con_a', 'con_b', 'con_c'].map((id) => nextRun(id, null, now));
  expect(new Set(times).size).toBe(3);
  for (const at of times) expect(at).toBeGreaterThan(now);
});

test('a sync that fails is tried again later and later, with what went wrong in sight, until it works', async () => {
  let broken = true;
  let runs = 0;
  const all = await scene({
    async *notes() {
      runs += 1;
      if (broken) throw new DrawbridgeError('provider_unavailable', 'Notes is down.');
      yield { records: [note('a')], deleted: [], cursor: 1 };
    },
  });
  all.start();
  for (const failures of [1, 2, 3]) {
    await expect.poll(async () => (await all.state()).schedule?.failures, { timeout: 30_000 }).toBe(failures);
    await all.idle();
    const { schedule, last } = await all.state();
    expect(schedule?.error).toMatchObject({ code: 'provider_unavailable' });
    expect(schedule?.error?.message).toContain('Notes is down.');
    expect(schedule?.nextAt).toBe(all.clock.now() + backOff(failures));
    expect(last).toMatchObject({ state: 'failed' });
    expect(runs).toBe(failures);
    broken = failures < 3;
    all.clock.advance(backOff(failures));
  }
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
  await all.idle();
  expect((await all.state()).schedule).toMatchObject({ failures: 0, error: undefined });
});

test('a limit whose end is told is no failure: the sync goes on from its cursor then, however often it meets it', async () => {
  const all = await scene({
    async *notes(cursor) {
      const at = typeof cursor === 'number' ? cursor : 0;
      yield { records: [note(`n${at}`)], deleted: [], cursor: at + 1 };
      if (at < 5) throw new DrawbridgeError('rate_limited', 'One a minute.', { retryAfterMs: 60_000 });
    },
  });
  all.start();
  for (let read = 1; read <= 5; read += 1) {
    await expect.poll(async () => (await titles(all)).length, { timeout: 30_000 }).toBe(read);
    await all.idle();
    const { schedule } = await all.state();
    expect(schedule).toMatchObject({ failures: 0, nextAt: all.clock.now() + 60_000 });
    all.clock.advance(60_000);
  }
  await expect.poll(() => titles(all), { timeout: 30_000 }).toHaveLength(6);
  await all.idle();
  expect((await all.state()).last).toMatchObject({ state: 'completed' });
});

test('a feed that hangs is given up after ten minutes without a page, and stops no other', async () => {
  const all = await scene({
    async *stuck() {
      yield { records: [note('a')], deleted: [], cursor: 1 };
      await new Promise(() => undefined);
    },
    async *sound() {
      yield { records: [note('b')], deleted: [], cursor: 1 };
    },
  });
  all.start();
  await all.clock.asleep((ms) => ms === usualTimes.heartbeatMs);
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
  const leased = async (): Promise<number> => {
    const { until } = await all.org.read((db) =>
      db.selectFrom('leases').select('until').where('name', 'like', 'sync/%').executeTakeFirstOrThrow(),
    );
    return until - all.clock.now();
  };
  for (let ms = 0; ms < usualTimes.heartbeatMs; ms += 30_000) {
    all.clock.advance(30_000);
    // The lease is held all the while: it is no other process that ends this.
    await expect
      .poll(leased, { timeout: 30_000, interval: 5 })
      .toBeOneOf([usualTimes.leaseMs, -all.clock.now()]);
  }
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a', 'b']);
  await all.idle();
  const { schedule, last } = await all.state();
  expect(schedule?.error).toMatchObject({ code: 'timeout' });
  expect(last?.problems).toMatchObject([
    { place: 'stuck', reason: expect.stringContaining('gave nothing for 10 minutes') },
  ]);
});

test('an org with one account waits for no org with many', async () => {
  const order: string[] = [];
  const gates: (() => void)[] = [];
  const all = await scene({
    async *notes(_cursor, user) {
      order.push(user);
      await new Promise<void>((resolve) => gates.push(resolve));
      yield { records: [], deleted: [], cursor: 1 };
    },
  });
  const { connections, store, ingestion } = all;
  const many = all.org;
  for (const user of ['ben', 'cleo', 'dan', 'eve']) {
    await connections.connect(many, 'notes', { fields: { user }, secrets: {} });
  }
  const few = await store.forOrg(await store.createOrg('Quay Lettings'));
  const zoe = await connections.connect(few, 'notes', { fields: { user: 'zoe' }, secrets: {} });
  for (const { id } of await connections.list(many)) await ingestion.request(many, id, { cause: 'person' });
  await ingestion.request(few, zoe.id, { cause: 'person' });
  all.start(2, [many, few]);
  await expect.poll(() => gates.length, { timeout: 30_000 }).toBe(2);
  // Two at once, and one of them is the other org's.
  expect(order).toContain('zoe');
  expect(order).toHaveLength(2);
  for (let done = 0; done < 6; done += 1) {
    await expect.poll(() => gates.length, { timeout: 30_000 }).toBeGreaterThan(0);
    gates.shift()?.();
  }
  await all.idle(many);
  expect([...order].sort()).toEqual(['ann', 'ben', 'cleo', 'dan', 'eve', 'zoe']);
});

test('what a process took and never began, another begins after a minute', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion } = all;
  await ingestion.request(org, connection.id, { cause: 'person' });
  // Taken by a process that then dies.
  expect(
    await ownMessages.read(org, syncQueue, { visibleInMs: usualTimes.startMs, quantity: 1 }),
  ).toHaveLength(1);
  all.start();
  await all.clock.asleep((ms) => ms === usualTimes.pollMs);
  expect(await titles(all)).toEqual([]);
  all.clock.advance(usualTimes.startMs);
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
});

test('what was asked for by a process that died before it could send is asked for again', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion } = all;
  await ingestion.request(org, connection.id, { cause: 'person' });
  const [message] = await ownMessages.read(org, syncQueue, { visibleInMs: 1_000, quantity: 1 });
  await ownMessages.delete(org, syncQueue, message?.id ?? '');
  all.start();
  await all.clock.asleep((ms) => ms === usualTimes.pollMs);
  expect(await titles(all)).toEqual([]);
  all.clock.advance(usualTimes.waitsAtMostMs);
  await expect.poll(() => titles(all), { timeout: 30_000 }).toEqual(['a']);
});

test('a sync that ends with its process five times is left until its next time', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion } = all;
  await ingestion.request(org, connection.id, { cause: 'person' });
  for (let n = 0; n < 5; n += 1) await ownMessages.read(org, syncQueue, { visibleInMs: 0, quantity: 1 });
  all.start();
  await all.idle();
  expect(await jobs(all)).toEqual([]);
  expect((await all.state()).schedule).toMatchObject({
    failures: 1,
    error: { message: expect.stringContaining('ended in the middle 5 times') },
  });
});

test('a full sync begins every feed anew, once', async () => {
  const asked: unknown[] = [];
  const all = await scene({
    async *notes(cursor) {
      asked.push(cursor);
      yield { records: [note('a')], deleted: [], cursor: 'here' };
    },
  });
  all.start();
  await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1);
  await all.idle();
  for (const full of [false, true, false]) {
    all.clock.advance(1_000);
    await all.ingestion.request(all.org, all.connection.id, { cause: 'person', full });
    await all.idle();
  }
  expect(asked).toEqual([undefined, 'here', undefined, 'here']);
});

test('only the newest fifty runs of a connection are kept', async () => {
  const all = await scene({ notes: one });
  const { org, connection, ingestion, clock } = all;
  all.start();
  await expect.poll(async () => (await jobs(all))[0]?.state, { timeout: 30_000 }).toBe('completed');
  await all.idle();
  const [first] = await jobs(all);
  if (first === undefined) throw new Error('one ran');
  await org.write(async (tx) => {
    for (let n = 1; n <= 60; n += 1) {
      const id = `job_${String(n).padStart(26, '0')}`;
      await tx
        .insertInto('ingestion_jobs')
        .values({ ...first, id, started_at: clock.now() - n })
        .execute();
    }
  });
  await ingestion.retain(org);
  expect(await jobs(all)).toHaveLength(50);
  expect((await jobs(all)).map(({ id }) => id)).toContain(first.id);
  expect(connection.id).toBe(first.connection_id);
});
