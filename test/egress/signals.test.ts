// What providers say about their limits is obeyed: by the call that was refused, and by all that come after it.
import { expect, test } from 'vitest';
import { pauseAsked } from '../../src/egress/signals.ts';
import { manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

const now = Date.UTC(2026, 0, 5, 12);
const at = (ms: number): number => now + ms;

test.each<[string, number, Record<string, string>, number | undefined]>([
  ['a refusal with a time', 429, { 'retry-after': '3' }, 3000],
  ['a refusal with a date', 429, { 'retry-after': 'Mon, 05 Jan 2026 12:00:09 GMT' }, 9000],
  ['a refusal with a reset in seconds', 429, { 'x-ratelimit-reset': '12' }, 12_000],
  ['a refusal with a reset at a time', 429, { 'x-ratelimit-reset': String(at(7000) / 1000) }, 7000],
  [
    'a refusal with HubSpot’s interval',
    429,
    { 'x-hubspot-ratelimit-interval-milliseconds': '10000' },
    10_000,
  ],
  ['a refusal that says nothing', 429, {}, undefined],
  ['a failure that says when', 503, { 'retry-after': '3' }, undefined],
  ['a window used up, seconds to go', 200, { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, 30_000],
  [
    'a window used up, until a time',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(at(5000) / 1000) },
    5000,
  ],
  [
    'a window used up, until a time in milliseconds',
    200,
    { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(at(5000)) },
    5000,
  ],
  [
    'a window used up, until a date',
    200,
    { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '2026-01-05T12:00:08Z' },
    8000,
  ],
  [
    'HubSpot’s window used up',
    200,
    { 'x-hubspot-ratelimit-remaining': '0', 'x-hubspot-ratelimit-interval-milliseconds': '10000' },
    10_000,
  ],
  ['a window with calls left', 200, { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '30' }, undefined],
  ['a reset that has passed', 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '0' }, undefined],
  [
    'a reset in a century',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99999999999' },
    86_400_000,
  ],
  ['nonsense', 200, { 'x-ratelimit-remaining': 'none', 'x-ratelimit-reset': 'soon' }, undefined],
])('%s', (_name, status, headers, wait) => {
  expect(pauseAsked(status, new Headers(headers), now)).toBe(wait);
});

test('a window that is used up pauses the connection, for reads and writes alike', async () => {
  const clock = manualClock();
  const server = await serve((_request, response) => {
    response.writeHead(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '5' }).end();
  });
  const { egress, fetch } = door({ clock });
  await fetch(server.url);
  const next = fetch(server.url, { method: 'POST' });
  expect(await clock.asleep((ms) => ms <= 20_000)).toBe(5000);
  expect((await egress.fetchFor({ ...caller, connectionId: 'con_b' })(server.url)).status).toBe(200);
  expect(server.seen).toHaveLength(2);
  clock.advance(5000);
  expect((await next).status).toBe(200);
});

test('a write that is refused with a long wait is handed back, and what comes after is refused with the rest of it', async () => {
  const clock = manualClock();
  const server = await serve((_request, response) => {
    response.writeHead(429, { 'retry-after': '90' }).end();
  });
  const { fetch } = door({ clock });
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(429);
  clock.advance(30_000);
  await expect(fetch(server.url)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
  expect(server.seen).toHaveLength(1);
});

test('a call that is to be made once is made once, whatever comes back', async () => {
  const server = await serve((_request, response) => response.writeHead(503).end());
  const dropping = await serve((request) => request.socket.destroy());
  const { fetch } = door();
  expect((await fetch(server.url, { once: true })).status).toBe(503);
  await expect(fetch(dropping.url, { once: true, idempotent: true })).rejects.toMatchObject({
    code: 'network',
  });
  expect([server.seen.length, dropping.seen.length]).toEqual([1, 1]);
});
