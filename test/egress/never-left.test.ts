// A write that the door itself stopped is known to have done nothing; one that may have left is not.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { neverLeft } from '../../src/egress/never-left.ts';
import { EffectRefused } from '../../src/providers/define.ts';
import { sendWrite } from '../../src/providers/request.ts';
import { contextOver } from '../providers/context.ts';
import { manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

const limit = { perSecond: 0.01, burst: 1, concurrent: 1 };
const post = { method: 'POST' };
const failure = (call: Promise<unknown>) => call.catch((error: unknown) => error);

test('a call beyond the limit, and one behind an open breaker, never left', async () => {
  const server = await serve((_request, response) => response.end());
  const { egress } = door();
  const fetch = egress.fetchFor({ ...caller, limit });
  await fetch(server.url, post);
  const beyond = await failure(fetch(server.url, post));
  expect(beyond).toMatchObject({ code: 'rate_limited' });
  expect(neverLeft(beyond)).toBe(true);

  const other = egress.fetchFor({ ...caller, connectionId: 'con_b' });
  const dead = await serve((request) => request.socket.destroy());
  for (let i = 0; i < 5; i += 1) {
    // These may have arrived.
    expect(neverLeft(await failure(other(dead.url, post)))).toBe(false);
  }
  const shut = await failure(other(dead.url, post));
  expect(shut).toMatchObject({ code: 'provider_unavailable' });
  expect(neverLeft(shut)).toBe(true);
  expect(dead.seen).toHaveLength(5);
});

test('a call whose time ended while it waited for a slot never left, and does not leave later', async () => {
  const clock = manualClock();
  const held = Promise.withResolvers<void>();
  const server = await serve((_request, response) => void held.promise.then(() => response.end()));
  const fetch = door({ clock }).egress.fetchFor({
    ...caller,
    limit: { ...limit, perSecond: 1000, burst: 9 },
  });
  const first = fetch(server.url, { ...post, timeoutMs: 600_000 });
  await clock.asleep((ms) => ms === 600_000);
  const late = failure(fetch(`${server.url}/late`, { ...post, timeoutMs: 60_000 }));
  await clock.asleep((ms) => ms === 60_000);
  clock.advance(60_000);
  expect(await late).toMatchObject({ code: 'timeout' });
  expect(neverLeft(await late)).toBe(true);
  held.resolve();
  await first;
  expect(server.seen.map(({ url }) => url)).toEqual(['/']);
});

test('a call that ran out of time on its way may have arrived', async () => {
  const clock = manualClock();
  const server = await serve(() => clock.advance(30_000));
  const error = await failure(door({ clock }).fetch(server.url, post));
  expect(error).toMatchObject({ code: 'timeout' });
  expect(neverLeft(error)).toBe(false);
});

test('an effect that the door did not let out is refused, with the reason', async () => {
  const server = await serve((_request, response) => response.end('{}'));
  const { egress } = door();
  const fetch = egress.fetchFor({ ...caller, limit });
  const { context } = contextOver(() => ({}), { fetch: (_input, init) => fetch(server.url, init) });
  const http = { baseUrl: 'https://api.example.com' };
  const write = () => sendWrite(context, http, { method: 'POST', path: '/x', output: z.unknown() });
  await write();
  const refused = await failure(write());
  expect(refused).toBeInstanceOf(EffectRefused);
  expect(refused).toMatchObject({ cause: { code: 'rate_limited', retry: 'later' } });
});
