import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { retryAfterMs } from '../../src/egress/retry.ts';
import { manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

const isBackOff = (ms: number): boolean => ms <= 20_000;
const isLimit = (ms: number): boolean => ms >= 30_000;

describe('time', () => {
  test('a server that never answers ends with the whole-call limit', async () => {
    const clock = manualClock();
    const server = await serve(() => clock.advance(30_000));
    await expect(door({ clock }).fetch(server.url)).rejects.toMatchObject({ code: 'timeout' });
  });

  test('slow loris: a body that drips is cut off at the whole-call limit, however often a byte comes', async () => {
    const clock = manualClock();
    const server = await serve((_request, response) => {
      response.write('{"a":');
      // One more byte a second of the manual clock, for ever.
      const drip = (): void => {
        if (response.destroyed) return;
        response.write(' ');
        clock.advance(1000);
        setImmediate(drip);
      };
      drip();
    });
    await expect(door({ clock }).fetch(server.url)).rejects.toMatchObject({
      code: 'timeout',
      retry: 'later',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('redirects and retries share one limit', async () => {
    const clock = manualClock();
    const server = await serve((_request, response) => {
      clock.advance(11_000);
      response.writeHead(302, { location: '/again' }).end();
    });
    await expect(door({ clock }).fetch(server.url)).rejects.toMatchObject({ code: 'timeout' });
    expect(server.seen.length).toBeLessThanOrEqual(3);
  });

  test('a caller that gives up ends the call with its own reason', async () => {
    const stop = new AbortController();
    const server = await serve(() => stop.abort(new Error('enough')));
    await expect(door().fetch(server.url, { signal: stop.signal })).rejects.toThrow('enough');
  });

  test('a conversation that does not listen to its signal ends all the same', async () => {
    const clock = manualClock();
    const talk = door({ clock }).egress.converse(caller, () => new Promise(() => undefined), {
      timeoutMs: 60_000,
    });
    await clock.asleep((ms) => ms === 60_000);
    clock.advance(60_000);
    await expect(talk).rejects.toMatchObject({ code: 'timeout' });
  });

  test('closing gives up what is under way, so that no wait of it holds the process', async () => {
    const clock = manualClock();
    const { egress, fetch } = door({ clock });
    const server = await serve((_request, response) => response.writeHead(503).end());
    const talk = egress.converse(caller, () => new Promise(() => undefined));
    const call = fetch(server.url);
    await clock.asleep(isBackOff);
    const given = Promise.allSettled([talk, call]);
    await egress.close();
    for (const result of await given) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'network' } });
    }
  });
});

describe('size', () => {
  test('a body beyond the limit is cut off while it comes', async () => {
    let sent = 0;
    const server = await serve((_request, response) => {
      const block = Buffer.alloc(64 * 1024);
      const more = (): void => {
        if (response.destroyed) return;
        sent += block.length;
        response.write(block, () => setImmediate(more));
      };
      more();
    });
    await expect(door().fetch(server.url, { maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'malformed_response',
    });
    // Endless: it only ends because the reader went away. What lies in socket buffers may be more.
    expect(sent).toBeLessThan(50_000_000);
  });

  test('a small body that unpacks to a large one is cut off too', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    await expect(door().fetch(server.url, { maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'malformed_response',
    });
  });

  test('bodies go and come unchanged, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256));
    const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    const server = await serve((_request, response) => response.end(bytes));
    const answer = await door().fetch(server.url, { method: 'POST', body: 'Grüße', maxBytes: bytes.length });
    expect(hash(await answer.bytes())).toBe(hash(bytes));
    expect(server.seen[0]?.body).toBe('Grüße');
  });
});

describe('retries', () => {
  function failing(times: number, status: number, headers: Record<string, string> = {}) {
    let calls = 0;
    return serve((_request, response) => {
      calls += 1;
      if (calls <= times) response.writeHead(status, headers).end();
      else response.end('ok');
    });
  }

  test.each([429, 502, 503, 504])('a read is repeated after %i, spread by jitter', async (status) => {
    const clock = manualClock();
    const server = await failing(2, status);
    const call = door({ clock, random: () => 0.5 }).fetch(server.url);
    expect(await clock.asleep(isBackOff)).toBe(250);
    clock.advance(250);
    expect(await clock.asleep(isBackOff)).toBe(500);
    clock.advance(500);
    expect((await call).status).toBe(200);
    expect(server.seen).toHaveLength(3);
  });

  test('three times at most; then the answer is handed over as it is', async () => {
    const clock = manualClock();
    const server = await failing(9, 503);
    const call = door({ clock }).fetch(server.url);
    for (const wait of [250, 500, 1000]) {
      expect(await clock.asleep(isBackOff)).toBe(wait);
      clock.advance(wait);
    }
    expect((await call).status).toBe(503);
    expect(server.seen).toHaveLength(4);
  });

  test('a write is sent once, whatever comes back', async () => {
    const server = await failing(9, 503);
    expect((await door().fetch(server.url, { method: 'POST', body: 'x' })).status).toBe(503);
    const dropping = await serve((request) => request.socket.destroy());
    await expect(door().fetch(dropping.url, { method: 'POST' })).rejects.toMatchObject({ code: 'network' });
    expect(server.seen).toHaveLength(1);
    expect(dropping.seen).toHaveLength(1);
  });

  test('a write that its caller knows to be harmless is repeated', async () => {
    const clock = manualClock();
    const server = await failing(1, 503);
    const call = door({ clock }).fetch(server.url, { method: 'PUT', body: 'same', idempotent: true });
    clock.advance(await clock.asleep(isBackOff));
    expect((await call).status).toBe(200);
    expect(server.seen.map(({ body }) => body)).toEqual(['same', 'same']);
  });

  test('a connection that breaks within the body is tried again', async () => {
    const clock = manualClock();
    let calls = 0;
    const server = await serve((request, response) => {
      calls += 1;
      if (calls > 1) {
        response.end('whole');
        return;
      }
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => request.socket.destroy());
    });
    const call = door({ clock }).fetch(server.url);
    clock.advance(await clock.asleep(isBackOff));
    expect(await (await call).text()).toBe('whole');
  });

  test('a 500 and a 404 are answers, not trouble on the way', async () => {
    for (const status of [500, 404]) {
      const server = await failing(9, status);
      expect((await door().fetch(server.url)).status).toBe(status);
      expect(server.seen).toHaveLength(1);
    }
  });

  test('Retry-After is waited for, and never undercut', async () => {
    const clock = manualClock();
    const server = await failing(1, 429, { 'retry-after': '7' });
    const call = door({ clock, random: () => 0 }).fetch(server.url);
    expect(await clock.asleep(isBackOff)).toBe(7000);
    clock.advance(7000);
    expect((await call).status).toBe(200);
  });

  test.each([
    ['21', 21_000],
    ['86400', 86_400_000],
    ['99999999999999999999', 86_400_000],
    ['Mon, 05 Jan 2026 12:01:00 GMT', 60_000],
  ])('a Retry-After of %s is handed to the caller instead of hanging', async (value, wait) => {
    const server = await failing(9, 429, { 'retry-after': value });
    await expect(door().fetch(server.url)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: wait,
    });
    expect(server.seen).toHaveLength(1);
  });

  test('a wait that would pass the whole-call limit is not begun', async () => {
    const server = await failing(9, 503, { 'retry-after': '10' });
    await expect(door().fetch(server.url, { timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryAfterMs: 10_000,
    });
  });

  test.each([
    ['5', 5000],
    ['0', 0],
    ['Mon, 05 Jan 2026 12:00:05 GMT', 5000],
    ['Sun, 04 Jan 2026 12:00:00 GMT', 0],
    ['Monday, 05-Jan-26 12:00:05 GMT', 5000],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    ['', undefined],
    [null, undefined],
  ])('reads Retry-After "%s" as %s ms', (value, wait) => {
    expect(retryAfterMs(value, Date.UTC(2026, 0, 5, 12))).toBe(wait);
  });
});

describe('the log and the metrics', () => {
  test('count what happened, and keep queries and bodies out', async () => {
    const lines: string[] = [];
    const { createLog } = await import('../../src/log.ts');
    const log = createLog({
      level: 'trace',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const server = await serve((request, response) =>
      response.writeHead(request.url?.startsWith('/no') ? 404 : 200).end('answer-with-personal-data'),
    );
    const { fetch, egress } = door({ log });
    await fetch(`${server.url}/a/path-token?apikey=query-secret`, { method: 'POST', body: 'body-secret' });
    await fetch(`${server.url}/no`);
    await expect(fetch('https://10.0.0.1/')).rejects.toThrow();
    expect(lines.join('')).toContain('127.0.0.1');
    expect(lines.join('')).not.toMatch(/query-secret|body-secret|path-token|personal-data/);
    expect(egress.metrics().map(({ outcome, count }) => [outcome, count])).toEqual([
      ['200', 1],
      ['404', 1],
      ['permission_denied', 1],
    ]);
  });

  test('the limit ends with the call: nothing sleeps on after an answer', async () => {
    const clock = manualClock();
    const server = await serve((_request, response) => response.end());
    await door({ clock }).fetch(server.url);
    const sleeping = await Promise.race([clock.asleep(isLimit), Promise.resolve('nobody')]);
    expect(sleeping).toBe('nobody');
  });
});
