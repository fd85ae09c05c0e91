// Limits that processes share: what one uses up, all have used up.
import { describe, expect, onTestFinished, test } from 'vitest';
import { createToolLimit } from '../../src/connections/operate/tool-limit.ts';
import type { CallLimit, Cause } from '../../src/egress/egress.ts';
import { freshState, takeCalls } from '../../src/egress/limit-state.ts';
import { createLog } from '../../src/log.ts';
import { toJson } from '../../src/store/codec.ts';
import { createSharedLimits } from '../../src/store/shared-limits.ts';
import { databases } from '../store/databases.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

async function opened(database = databases[0], clock: ManualClock = manualClock()) {
  if (database === undefined) throw new Error('no database');
  const open = await database.open({ clock });
  onTestFinished(() => open.close());
  const { store } = open;
  const orgId = await store.createOrg('Brightwater Homes');
  return { store, orgId, clock, limits: createSharedLimits(store), open };
}

describe('the numbers', () => {
  const rate = { perSecond: 2, burst: 3 };
  const ask = (now: number, wanted = 1) => ({ wanted, now, longestWaitMs: 20_000 });

  test('give the burst at once, then one call each 500 ms, in order', () => {
    const state = freshState(rate, 0);
    expect([0, 0, 0, 0, 0].map((now) => takeCalls(state, rate, ask(now)))).toEqual([
      { calls: 1, waitMs: 0 },
      { calls: 1, waitMs: 0 },
      { calls: 1, waitMs: 0 },
      { calls: 1, waitMs: 500 },
      { calls: 1, waitMs: 1000 },
    ]);
  });

  test('never fill beyond the burst', () => {
    const state = freshState(rate, 0);
    expect(takeCalls(state, rate, ask(3_600_000, 9))).toEqual({ calls: 3, waitMs: 0 });
  });

  test('a wait of more than the longest takes nothing', () => {
    const slow = { perSecond: 0.1, burst: 1 };
    const state = freshState(slow, 0);
    takeCalls(state, slow, ask(0));
    takeCalls(state, slow, ask(0));
    takeCalls(state, slow, ask(0));
    for (let i = 0; i < 2; i += 1) {
      expect(takeCalls(state, slow, ask(0))).toEqual({ calls: 0, waitMs: 30_000 });
    }
  });

  test('in no window of its length are there more calls than it has, wherever it begins', () => {
    const windows = [
      { calls: 20, ms: 1000 },
      { calls: 90, ms: 10_000 },
    ];
    const fast = { perSecond: 1000, burst: 1000, windows };
    const state = freshState(fast, 0);
    const made: number[] = [];
    for (let now = 0; now < 60_000; now += 7) {
      const { calls } = takeCalls(state, fast, ask(now, 3));
      for (let i = 0; i < calls; i += 1) made.push(now);
    }
    for (const { calls, ms } of windows) {
      for (const from of made) {
        expect(made.filter((at) => at >= from && at < from + ms).length).toBeLessThanOrEqual(calls);
      }
    }
    // Slices cost a little of the rate, not most of it.
    expect(made.length).toBeGreaterThan(450);
  });

  test('what was stored stays small', () => {
    const fast = { perSecond: 1000, burst: 1000, windows: [{ calls: 100_000, ms: 60_000 }] };
    const state = freshState(fast, 0);
    for (let now = 0; now < 180_000; now += 11) takeCalls(state, fast, ask(now));
    expect(JSON.stringify(state).length).toBeLessThan(2000);
  });

  test('a clock that was set back stops nothing for long', () => {
    const windowed = { ...rate, windows: [{ calls: 2, ms: 1000 }] };
    const state = freshState(windowed, 0);
    takeCalls(state, windowed, ask(9_000_000, 2));
    expect(takeCalls(state, windowed, ask(0)).waitMs).toBeLessThanOrEqual(3000);
  });
});

describe.each(databases)('on $name', (database) => {
  test('what one process has used up, another has not either; orgs and connections are apart', async () => {
    const clock = manualClock();
    const { store, orgId, limits } = await opened(database, clock);
    const other = await store.createOrg('Elsewhere');
    const server = await serve((_request, response) => response.end());
    const limit: CallLimit = { perSecond: 0.01, burst: 4, concurrent: 4 };
    const one = door({ clock, limits }).egress;
    const two = door({ clock, limits: createSharedLimits(store) }).egress;
    const call = (egress: typeof one, connectionId: string, org = orgId): Promise<Response> =>
      egress.fetchFor({ ...caller, orgId: org, connectionId, limit })(server.url);
    for (const egress of [one, two, one, two]) await call(egress, 'con_a');
    await expect(call(one, 'con_a')).rejects.toMatchObject({ code: 'rate_limited', retry: 'later' });
    await expect(call(two, 'con_a')).rejects.toMatchObject({ code: 'rate_limited' });
    expect((await call(two, 'con_b')).status).toBe(200);
    expect((await call(one, 'con_a', other)).status).toBe(200);
  });

  test('an app’s limit is shared by orgs', async () => {
    const clock = manualClock();
    const { store, orgId, limits } = await opened(database, clock);
    const other = await store.createOrg('Elsewhere');
    const server = await serve((_request, response) => response.end());
    const app = { name: 'intuit', limit: { perSecond: 0.01, burst: 2, concurrent: 9 } };
    const { egress } = door({ clock, limits });
    for (const org of [orgId, other]) await egress.fetchFor({ ...caller, orgId: org, app })(server.url);
    await expect(egress.fetchFor({ ...caller, orgId: other, app })(server.url)).rejects.toMatchObject({
      code: 'rate_limited',
    });
  });

  test('the calls that tools cause are counted by the plan, and nothing else is', async () => {
    const clock = manualClock();
    const { store, orgId, limits } = await opened(database, clock);
    const toolLimit = createToolLimit({ store, clock, plan: 'professional' });
    const server = await serve((_request, response) => response.end());
    const { egress } = door({ clock, limits, toolLimit });
    const limit: CallLimit = { perSecond: 1000, burst: 1000, concurrent: 9 };
    const call = (cause: Cause): Promise<Response> =>
      egress.fetchFor({ ...caller, orgId, cause, limit })(server.url);
    for (let i = 0; i < 30; i += 1) {
      for (const cause of ['sync', 'status', 'connect'] as const) await call(cause);
    }
    for (let i = 0; i < 100; i += 1) await call('tool');
    const refused = await call('tool').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining('100 live calls'),
    });
    // PostgreSQL keeps its own time.
    const { retryAfterMs } = refused as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(3_500_000);
    expect((await call('sync')).status).toBe(200);
    expect(server.seen).toHaveLength(191);

    const org = await store.forOrg(orgId);
    await org.write((tx) =>
      tx
        .insertInto('org_settings')
        .values({ org_id: orgId, name: 'plan', value: toJson('local'), updated_at: 0 })
        .execute(),
    );
    clock.advance(10_000);
    expect((await call('tool')).status).toBe(200);
  });
});

test('a failing database ends no call: the process counts alone, and the log says so', async () => {
  const { store, orgId } = await opened();
  await store.close();
  const server = await serve((_request, response) => response.end());
  const lines: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  const { egress } = door({ limits: createSharedLimits(store), log });
  const limit: CallLimit = { perSecond: 0.01, burst: 2, concurrent: 4 };
  const fetch = egress.fetchFor({ ...caller, orgId, limit });
  expect([(await fetch(server.url)).status, (await fetch(server.url)).status]).toEqual([200, 200]);
  await expect(fetch(server.url)).rejects.toMatchObject({ code: 'rate_limited' });
  expect(lines.join('')).toContain('this process counts alone');
});

test('who calls often writes seldom', async () => {
  const { store, orgId, clock } = await opened();
  const shared = createSharedLimits(store);
  let writes = 0;
  const limits: typeof shared = {
    change: (row, change) => {
      writes += 1;
      return shared.change(row, change);
    },
  };
  const server = await serve((_request, response) => response.end());
  const { egress } = door({ clock, limits });
  const limit: CallLimit = { perSecond: 100, burst: 200, concurrent: 4 };
  const fetch = egress.fetchFor({ ...caller, orgId, limit });
  for (let i = 0; i < 150; i += 1) await fetch(`${server.url}/${i}`);
  expect(writes).toBeLessThan(15);
});
