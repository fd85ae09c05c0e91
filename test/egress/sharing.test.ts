// Equal reads at once are one call; an answer with a validator is asked about instead of fetched again; sockets
// are kept. Nobody gets what was not meant for them, and nobody's end is another's.
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { caller, door, listen, serve } from './wire.ts';

/** A server that answers when it is told to. */
async function held() {
  const waiting: ServerResponse[] = [];
  let arrived = Promise.withResolvers<void>();
  const server = await serve((_request, response) => {
    waiting.push(response);
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  return {
    server,
    async arrival(count: number) {
      while (server.seen.length < count) await arrived.promise;
    },
    release: (body: string) => {
      for (const response of waiting.splice(0)) response.end(body);
    },
  };
}

describe('equal reads at once', () => {
  test('are one call, and each gets a copy of its own', async () => {
    const { server, arrival, release } = await held();
    const { fetch, egress } = door();
    const calls = [1, 2, 3].map(() => fetch(server.url, { headers: { accept: 'text/plain' } }));
    await arrival(1);
    release('whole');
    const answers = await Promise.all(calls);
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['whole', 'whole', 'whole']);
    expect(server.seen).toHaveLength(1);
    expect(egress.metrics()).toMatchObject([{ count: 1 }]);
    const after = fetch(server.url);
    await arrival(2);
    release('again');
    expect(await (await after).text()).toBe('again');
  });

  test('who gives up ends the call for nobody else, and when all have, it ends', async () => {
    const { server, arrival, release } = await held();
    const { fetch, egress } = door();
    const stops = [new AbortController(), new AbortController()];
    const first = fetch(server.url, { signal: stops[0]?.signal ?? null });
    const second = fetch(server.url, { signal: stops[1]?.signal ?? null });
    await arrival(1);
    stops[0]?.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    release('whole');
    expect(await (await second).text()).toBe('whole');

    const third = fetch(server.url, { signal: stops[1]?.signal ?? null });
    await arrival(2);
    stops[1]?.abort(new Error('enough too'));
    await expect(third).rejects.toThrow('enough too');
    expect(egress.metrics().map(({ outcome }) => outcome)).toEqual(['200', 'aborted']);
  });

  test.each<[string, RequestInit & { once?: boolean }, RequestInit & { once?: boolean }]>([
    ['that differ in a header', { headers: { authorization: 'a' } }, { headers: { authorization: 'b' } }],
    ['that are to be made once', { once: true }, { once: true }],
    ['that want no stored answer', { cache: 'no-store' }, { cache: 'no-store' }],
    ['that change something', { method: 'POST' }, { method: 'POST' }],
  ])('calls %s are two', async (_name, one, other) => {
    const { server, arrival, release } = await held();
    const { fetch } = door();
    const calls = [fetch(server.url, one), fetch(server.url, other)];
    await arrival(2);
    release('');
    await Promise.all(calls);
  });

  test('calls of two connections, or while connecting, are two', async () => {
    const { server, arrival, release } = await held();
    const { egress } = door();
    const callers = [
      caller,
      { ...caller, connectionId: 'con_b' },
      { ...caller, orgId: 'org_b' },
      { ...caller, connectionId: undefined },
      { ...caller, connectionId: undefined },
    ];
    const calls = callers.map((one) => egress.fetchFor(one)(server.url));
    await arrival(5);
    release('');
    await Promise.all(calls);
  });

  test('a read after a write never gets what began before the write', async () => {
    const { server, arrival, release } = await held();
    const { fetch } = door();
    const before = fetch(server.url);
    await arrival(1);
    const write = fetch(server.url, { method: 'PUT', body: 'new' });
    await arrival(2);
    const during = fetch(server.url);
    await arrival(3);
    const answer = server.seen.length;
    release('');
    await Promise.all([before, write, during]);
    expect(answer).toBe(3);
  });
});

describe('an answer with a validator', () => {
  async function versioned(header: 'etag' | 'last-modified', value: string) {
    const asks = header === 'etag' ? 'if-none-match' : 'if-modified-since';
    const state = { value, body: 'first' };
    const server = await serve((request, response) => {
      const same = request.headers[asks] === state.value;
      response.writeHead(same ? 304 : 200, {
        [header]: state.value,
        'content-type': 'text/x',
        'x-left': '9',
      });
      response.end(same ? undefined : state.body);
    });
    return { server, state };
  }

  test.each([
    ['etag', '"v1"', '"v2"'],
    ['last-modified', 'Mon, 05 Jan 2026 12:00:00 GMT', 'Mon, 05 Jan 2026 13:00:00 GMT'],
  ] as const)('is asked about by its %s, and given again when it is still good', async (header, one, two) => {
    const { server, state } = await versioned(header, one);
    const { fetch, egress } = door();
    for (let i = 0; i < 2; i += 1) {
      const answer = await fetch(server.url, { headers: { authorization: `Bearer ${i}` } });
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        200,
        'text/x',
        'first',
      ]);
    }
    Object.assign(state, { value: two, body: 'second' });
    expect(await (await fetch(server.url)).text()).toBe('second');
    expect(await (await fetch(server.url)).text()).toBe('second');
    expect(egress.metrics().map(({ outcome, count }) => [outcome, count])).toEqual([
      ['200', 2],
      ['304', 2],
    ]);
  });

  test('is no other connection’s, and no answer to another question', async () => {
    const { server } = await versioned('etag', '"v1"');
    const { fetch, egress } = door();
    await fetch(server.url);
    await egress.fetchFor({ ...caller, connectionId: 'con_b' })(server.url);
    await fetch(server.url, { headers: { accept: 'text/html' } });
    await fetch(`${server.url}/?q`);
    expect(server.seen.map(({ headers }) => headers['if-none-match'])).toEqual(Array(4).fill(undefined));
  });

  test('is given up when it may not be stored, is too large, or too many came since', async () => {
    const server = await serve((request, response) => {
      response.setHeader('etag', '"v"');
      if (request.url === '/private') response.setHeader('cache-control', 'private, no-store');
      response.end(request.url === '/large' ? 'x'.repeat(300_000) : 'x'.repeat(20_000));
    });
    const { egress } = door();
    const fetch = egress.fetchFor({ ...caller, limit: { perSecond: 1e6, burst: 1e6, concurrent: 9 } });
    const asked = async (path: string): Promise<string | undefined> => {
      await fetch(`${server.url}${path}`);
      return server.seen.at(-1)?.headers['if-none-match'];
    };
    for (const path of ['/private', '/large', '/0']) await asked(path);
    expect([await asked('/private'), await asked('/large'), await asked('/0')]).toEqual([
      undefined,
      undefined,
      '"v"',
    ]);
    // 20 kB each: more than a connection's megabyte.
    for (let i = 1; i < 60; i += 1) await asked(`/${i}`);
    expect(await asked('/0')).toBeUndefined();
  });

  test('a caller that asks about its own copy gets the provider’s own answer', async () => {
    const { server } = await versioned('etag', '"v1"');
    const { fetch } = door();
    await fetch(server.url);
    expect((await fetch(server.url, { headers: { 'if-none-match': '"v1"' } })).status).toBe(304);
  });
});

test('sockets are kept: calls one after the other open no new ones', async () => {
  let sockets = 0;
  const server = createServer((_request, response) => response.end('x'));
  server.on('connection', () => {
    sockets += 1;
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const { fetch } = door();
  for (let i = 0; i < 10; i += 1) await fetch(`${url}/${i}`);
  // The second call may come before the first one's socket is back.
  expect(sockets).toBeLessThanOrEqual(2);
});

test('a provider gets 64 calls at once from a process, however many accounts it has', async () => {
  const { server, arrival, release } = await held();
  const { egress } = door();
  const limit = { perSecond: 1000, burst: 1000, concurrent: 8 };
  const calls = Array.from({ length: 80 }, (_, i) =>
    egress.fetchFor({ ...caller, connectionId: `con_${i}`, limit })(`${server.url}/${i}`),
  );
  const other = egress.fetchFor({ ...caller, provider: 'hubspot', limit })(server.url);
  await arrival(65);
  expect(server.seen.filter(({ url }) => url !== '/')).toHaveLength(64);
  release('');
  await arrival(81);
  release('');
  await Promise.all([...calls, other]);
});
