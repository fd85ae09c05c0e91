import { describe, expect, test } from 'vitest';
import { createBreaker, openMs } from '../../src/egress/breaker.ts';
import { createSlots } from '../../src/egress/slots.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

const never = new AbortController().signal;

function fail(breaker: ReturnType<typeof createBreaker>, times: number): void {
  for (let i = 0; i < times; i += 1) breaker.enter().settle('failing');
}

describe('the breaker', () => {
  test('opens after five failures in a row, and says when to come back', () => {
    const clock = manualClock();
    const breaker = createBreaker('mailbox', clock);
    fail(breaker, 5);
    clock.advance(60_000);
    expect(() => breaker.enter()).toThrow(
      expect.objectContaining({ code: 'provider_unavailable', retryAfterMs: openMs - 60_000 }),
    );
  });

  test('a success in between starts the count again', () => {
    const breaker = createBreaker('mailbox', manualClock());
    fail(breaker, 4);
    breaker.enter().settle('healthy');
    fail(breaker, 4);
    expect(() => breaker.enter()).not.toThrow();
  });

  test('half-open after five minutes: one call probes, the others wait for what it finds', () => {
    const clock = manualClock();
    const breaker = createBreaker('mailbox', clock);
    fail(breaker, 5);
    clock.advance(openMs);
    const probe = breaker.enter();
    expect(probe.probe).toBe(true);
    expect(() => breaker.enter()).toThrow(expect.objectContaining({ code: 'provider_unavailable' }));
    probe.settle('healthy');
    expect(breaker.enter().probe).toBe(false);
  });

  test('a failed probe closes the way for another five minutes', () => {
    const clock = manualClock();
    const breaker = createBreaker('mailbox', clock);
    fail(breaker, 5);
    clock.advance(openMs);
    breaker.enter().settle('failing');
    clock.advance(openMs - 1);
    expect(() => breaker.enter()).toThrow();
    clock.advance(1);
    expect(breaker.enter().probe).toBe(true);
  });

  test('a probe that found nothing out lets the next call probe', () => {
    const clock = manualClock();
    const breaker = createBreaker('mailbox', clock);
    fail(breaker, 5);
    clock.advance(openMs);
    breaker.enter().settle('unknown');
    expect(breaker.enter().probe).toBe(true);
  });

  test('a slow success of an older call does not open the way', () => {
    const breaker = createBreaker('mailbox', manualClock());
    const slow = breaker.enter();
    fail(breaker, 5);
    slow.settle('healthy');
    expect(() => breaker.enter()).toThrow();
  });
});

describe('the door and its breaker', () => {
  async function failFiveTimes(clock: ManualClock) {
    let healthy = false;
    const server = await serve((request, response) => {
      if (healthy) response.end('back');
      else request.socket.destroy();
    });
    const { egress } = door({ clock });
    const fetch = egress.fetchFor(caller);
    for (let i = 0; i < 5; i += 1) await expect(fetch(server.url, { method: 'POST' })).rejects.toThrow();
    return {
      server,
      egress,
      fetch,
      heal: () => {
        healthy = true;
      },
    };
  }

  test('after five failed calls nothing is sent for five minutes; one probe, sent once, opens the way', async () => {
    const clock = manualClock();
    const { server, fetch, heal } = await failFiveTimes(clock);
    await expect(fetch(server.url)).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryAfterMs: openMs,
    });
    expect(server.seen).toHaveLength(5);

    clock.advance(openMs);
    await expect(fetch(server.url)).rejects.toMatchObject({ code: 'network' });
    expect(server.seen).toHaveLength(6);

    clock.advance(openMs);
    heal();
    expect(await (await fetch(server.url)).text()).toBe('back');
  });

  test('one account in trouble leaves the others alone', async () => {
    const clock = manualClock();
    const { server, egress, heal } = await failFiveTimes(clock);
    heal();
    const other = egress.fetchFor({ ...caller, connectionId: 'con_b' });
    expect((await other(server.url)).status).toBe(200);
    const otherOrg = egress.fetchFor({ ...caller, orgId: 'org_b' });
    expect((await otherOrg(server.url)).status).toBe(200);
  });

  test('mistyped servers while an account is being connected open nothing', async () => {
    const server = await serve((request) => request.socket.destroy());
    const fetch = door({ clock: manualClock() }).egress.fetchFor({ ...caller, connectionId: undefined });
    for (let i = 0; i < 7; i += 1) {
      await expect(fetch(server.url, { method: 'POST' })).rejects.toMatchObject({ code: 'network' });
    }
    expect(server.seen).toHaveLength(7);
  });

  test('refusals and a caller giving up are no failures of the provider', async () => {
    const { egress, fetch } = door({ clock: manualClock() });
    const server = await serve((_request, response) => response.writeHead(404).end());
    for (let i = 0; i < 6; i += 1) {
      const stop = new AbortController();
      stop.abort(new Error('given up'));
      await expect(fetch(server.url, { signal: stop.signal })).rejects.toThrow('given up');
      await expect(fetch('https://10.0.0.1/')).rejects.toMatchObject({ code: 'permission_denied' });
    }
    expect((await egress.fetchFor(caller)(server.url)).status).toBe(404);
  });

  test('conversations share the breaker with calls', async () => {
    const { egress, fetch } = door({ clock: manualClock() });
    const refused = (): Promise<never> =>
      Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    for (let i = 0; i < 5; i += 1) await expect(egress.converse(caller, refused)).rejects.toThrow('refused');
    await expect(fetch('http://127.0.0.1:9/')).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  test('a conversation is never repeated', async () => {
    let runs = 0;
    const work = async (): Promise<never> => {
      runs += 1;
      throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    };
    await expect(door().egress.converse(caller, work)).rejects.toThrow('reset');
    expect(runs).toBe(1);
  });
});

describe('limits of a connection', () => {
  test("the provider's own limit is kept per connection", async () => {
    const clock = manualClock();
    const server = await serve((_request, response) => response.end());
    const { egress } = door({ clock });
    const slow = { perSecond: 1, burst: 1, concurrent: 1 };
    const one = egress.fetchFor({ ...caller, limit: slow });
    const other = egress.fetchFor({ ...caller, connectionId: 'con_b', limit: slow });
    await one(server.url);
    const second = one(server.url);
    expect(await clock.asleep((ms) => ms <= 1000)).toBe(1000);
    await other(server.url);
    expect(server.seen).toHaveLength(2);
    clock.advance(1000);
    expect((await second).status).toBe(200);
  });
});

describe('slots', () => {
  test('hold at most so many at once, first come first served; who gives up leaves the queue', async () => {
    const slots = createSlots(1);
    const release = await slots.enter(never);
    const stop = new AbortController();
    const order: string[] = [];
    const given = slots.enter(stop.signal).catch((error: Error) => order.push(error.message));
    const next = slots.enter(never).then((leave) => {
      order.push('next');
      return leave;
    });
    stop.abort(new Error('gave up'));
    await given;
    release();
    release();
    const leave = await next;
    expect(order).toEqual(['gave up', 'next']);
    let third = false;
    void slots.enter(never).then(() => {
      third = true;
    });
    await Promise.resolve();
    expect(third).toBe(false);
    leave();
  });
});
