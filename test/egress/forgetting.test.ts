// What the door keeps of each connection is forgotten when it says nothing more, and never before.
import { describe, expect, test } from 'vitest';
import { openMs, rememberMs } from '../../src/egress/breaker.ts';
import type { Caller, CallLimit } from '../../src/egress/egress.ts';
import { createGuards, type Leave } from '../../src/egress/guards.ts';
import { createKeptWhile } from '../../src/egress/kept-while.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { manualClock } from './manual-clock.ts';
import { caller } from './wire.ts';

const most = 1000;
const asking = { method: 'GET', name: 'there', timeoutMs: 60_000 };
const done = { result: 'done', outcome: '200', verdict: 'healthy' } as const;

function scene() {
  const clock = manualClock();
  const guards = createGuards({
    clock,
    log: createLog({ level: 'silent' }),
    toolLimit: async () => ({ calls: 100, ms: 3_600_000, words: 'Enough for this hour.' }),
  });
  const call = (given: Partial<Caller>, work?: (leave: Leave) => Promise<void>) =>
    guards.run({ ...caller, cause: 'sync', ...given }, asking, async (leave) => {
      await leave.pace();
      await work?.(leave);
      return done;
    });
  /** Enough other connections, and enough time, for what rests to be forgotten. */
  const others = async (count: number, name = 'other') => {
    for (let i = 0; i < count; i += 1) await call({ connectionId: `con_${name}_${i}` });
  };
  /** So many calls of one connection, each of which asks the limits. */
  const one = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      await call({ limit: { perSecond: 1000, burst: 1, concurrent: 4 } });
      clock.advance(1);
    }
  };
  return { clock, guards, call, others, one };
}

const fail = async (): Promise<never> => {
  throw new DrawbridgeError('network', 'No road.');
};

describe('what is at rest', () => {
  test('is bounded: ten thousand connections called once leave a thousand, and a quiet time none of them', async () => {
    const { clock, guards, call, one } = scene();
    for (let i = 0; i < 10_000; i += 1) {
      await call({ connectionId: `con_${i}` });
      // Each bucket is full again 200 ms after its call, the hand is empty after half a second.
      clock.advance(10);
    }
    expect(guards.kept().connections).toBeLessThanOrEqual(most + 1);
    expect(guards.kept().limits).toBeLessThanOrEqual(most + 1);
    clock.advance(3_600_000);
    await one(most);
    expect(guards.kept()).toEqual({ connections: 1, gates: 0, limits: 1 });
  });

  test('is bounded for the plans of many orgs, too', async () => {
    const { clock, guards, call, one } = scene();
    for (let i = 0; i < 3000; i += 1) await call({ orgId: `org_${i}`, cause: 'tool' });
    expect(guards.kept().gates).toBeLessThanOrEqual(most + 1);
    clock.advance(2 * 3_600_000);
    await one(3000);
    expect(guards.kept()).toMatchObject({ connections: 1, limits: 1 });
  });
});

describe('what matters outlives any number of other connections and any quiet time', () => {
  test('an open breaker stays shut', async () => {
    const { clock, call, others } = scene();
    for (let i = 0; i < 5; i += 1) await expect(call({}, fail)).rejects.toThrow('No road.');
    clock.advance(openMs - 1000);
    await others(3000);
    await expect(call({})).rejects.toMatchObject({ code: 'provider_unavailable', retryAfterMs: 1000 });
    // Half-open it is no new one either: the first call is the probe.
    clock.advance(30 * 60_000);
    await others(3000);
    let probe = false;
    await call({}, async (leave) => {
      probe = leave.probe;
    });
    expect(probe).toBe(true);
  });

  test('four failures in a row are remembered for the fifth, and an hour later by nobody', async () => {
    const { clock, call, others } = scene();
    for (let i = 0; i < 4; i += 1) await expect(call({}, fail)).rejects.toThrow('No road.');
    clock.advance(rememberMs - 1000);
    await others(3000);
    await expect(call({}, fail)).rejects.toThrow('No road.');
    await expect(call({})).rejects.toMatchObject({ code: 'provider_unavailable' });
    clock.advance(rememberMs);
    await others(3000);
    await expect(call({}, fail)).rejects.toThrow('No road.');
    await call({});
  });

  test('an emptied bucket is as empty as it was', async () => {
    const limit: CallLimit = { perSecond: 0.01, burst: 3, concurrent: 4 };
    const { clock, call, others } = scene();
    for (let i = 0; i < 3; i += 1) await call({ limit });
    await others(3000);
    await expect(call({ limit })).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 100_000 });
    clock.advance(100_000);
    await others(3000);
    await call({ limit });
    await expect(call({ limit })).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('a pause that the provider asked for lasts, and the calls of the hour are counted', async () => {
    const windows = [{ calls: 2, ms: 3_600_000 }];
    const limit: CallLimit = { perSecond: 1000, burst: 1000, concurrent: 4, windows };
    const { clock, call, others } = scene();
    await call({}, (leave) => leave.pause(1_800_000));
    await call({ connectionId: 'con_w', limit });
    await call({ connectionId: 'con_w', limit });
    clock.advance(1_700_000);
    await others(3000);
    await expect(call({})).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 100_000 });
    await expect(call({ connectionId: 'con_w', limit })).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('a call under way keeps its slot, and who waits for it waits on', async () => {
    const limit: CallLimit = { perSecond: 1000, burst: 1000, concurrent: 1 };
    const { call, others } = scene();
    const held = Promise.withResolvers<void>();
    const order: string[] = [];
    const first = call({ limit }, async () => {
      await held.promise;
      order.push('first');
    });
    const second = call({ limit }, async () => void order.push('second'));
    await others(3000);
    const third = call({ limit }, async () => void order.push('third'));
    await others(10, 'more');
    expect(order).toEqual([]);
    held.resolve();
    await Promise.all([first, second, third]);
    expect(order).toEqual(['first', 'second', 'third']);
  });
});

test('the table never drops what it has just given, though all of it rests and none fits', () => {
  const table = createKeptWhile<object>(manualClock(), () => true, { most: 1 });
  const one = table.get('a', () => ({}));
  expect(table.get('a', () => ({}))).toBe(one);
  table.get('b', () => ({}));
  expect(table.size()).toBe(1);
  expect(table.get('a', () => ({}))).not.toBe(one);
});
