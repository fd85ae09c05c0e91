// Clients that take no fetch: from work that knows its caller they leave through the door, from anywhere else
// not at all.
import { get } from 'node:https';
import { gzipSync } from 'node:zlib';
import axios from 'axios/dist/node/axios.cjs';
import { fetch as undiciFetch, request as undiciRequest } from 'undici';
import { expect, test } from 'vitest';
import { caller, door, serve } from './wire.ts';

const clients: [string, (url: string) => Promise<unknown>][] = [
  ["Node's fetch", (url) => fetch(url)],
  ["undici's fetch", (url) => undiciFetch(url)],
  ["undici's request", (url) => undiciRequest(url)],
  ['axios', (url) => axios.get(url)],
  ['an instance of axios', (url) => axios.create().get(url)],
  [
    'node:https',
    (url) =>
      new Promise((resolve, reject) => {
        get(url, resolve).on('error', reject);
      }),
  ],
];

function causes(thrown: unknown): string {
  const words: string[] = [];
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) words.push(cause.message);
  return words.join(' / ');
}

test.each(clients)('outside of any work %s is refused', async (_name, call) => {
  const { egress } = door();
  await egress.within(caller, async () => undefined);
  const refused = await call('https://api.example.com/').then(() => 'left', causes);
  expect(refused).toContain('A call to api.example.com tried to leave past the door');
});

test('a server on this machine is out of reach too, unless the flag admits it', async () => {
  const server = await serve((_request, response) => response.end('here'));
  const { egress } = door({ allowLoopback: false });
  for (const call of [() => fetch(server.url), () => undiciFetch(server.url)]) {
    expect(await call().then(() => 'left', causes)).toContain('past the door');
  }
  await egress.close();
  door();
  expect((await fetch(server.url)).status).toBe(200);
});

const routed = clients.filter(([name]) => name !== 'node:https');

test.each(routed)('inside of work %s leaves through the door', async (_name, call) => {
  const sandbox = await serve((_request, response) => response.end('{}'));
  const { egress } = door({ sandboxUrl: sandbox.url });
  await egress.within(caller, () => call('https://api.example.com/path?q=1'));
  expect(sandbox.seen.map(({ url }) => url)).toEqual(['/api.example.com/path?q=1']);
  expect(egress.metrics()).toMatchObject([{ provider: 'zillow', operation: 'search', outcome: '200' }]);
});

test.each(routed)('inside of work the rules on addresses hold for %s', async (_name, call) => {
  const { egress } = door();
  const refused = egress.within(caller, () => call('https://169.254.169.254/latest/meta-data'));
  expect(await refused.then(() => 'left', causes)).toContain('public');
});

test('node:https finds no way of its own inside of work either', async () => {
  const sandbox = await serve((_request, response) => response.end());
  const { egress } = door({ sandboxUrl: sandbox.url });
  const call = clients.find(([name]) => name === 'node:https')?.[1];
  const refused = egress.within(caller, async () => call?.('https://api.example.com/'));
  expect(await refused.then(() => 'left', causes)).toContain('past the door');
});

test("requests and answers pass through Node's fetch whole", async () => {
  const big = 'u'.repeat(200_000);
  const sandbox = await serve((request, response) => {
    response.writeHead(request.method === 'POST' ? 201 : 404, {
      'content-encoding': 'gzip',
      'content-type': 'application/json',
      'x-one': ['a', 'b'],
    });
    response.end(gzipSync(JSON.stringify({ big })));
  });
  const { egress } = door({ sandboxUrl: sandbox.url });
  const answer = await egress.within(caller, () =>
    fetch('https://api.example.com/', {
      method: 'POST',
      headers: { 'x-key': 'k', 'content-type': 'application/json' },
      body: JSON.stringify({ say: big }),
    }),
  );
  expect([answer.status, answer.headers.get('x-one')]).toEqual([201, 'a, b']);
  expect((await answer.json()) as unknown).toEqual({ big });
  expect(sandbox.seen[0]).toMatchObject({
    method: 'POST',
    headers: { 'x-key': 'k', 'content-type': 'application/json' },
    body: JSON.stringify({ say: big }),
  });
});

test('axios gets its answer as it asked for it, and its errors as it knows them', async () => {
  const sandbox = await serve((request, response) => {
    response.writeHead(request.url?.includes('/no') ? 403 : 200, { 'content-type': 'application/json' });
    response.end('{"a":1}');
  });
  const { egress } = door({ sandboxUrl: sandbox.url });
  await egress.within(caller, async () => {
    const posted = await axios.post('https://api.example.com/form', new URLSearchParams({ code: 'x y' }), {
      params: { v: 2 },
    });
    expect(posted.data).toEqual({ a: 1 });
    const bytes = await axios.get('https://api.example.com/raw', { responseType: 'arraybuffer' });
    expect(Buffer.from(bytes.data).toString()).toBe('{"a":1}');
    await expect(axios.get('https://api.example.com/no')).rejects.toMatchObject({
      isAxiosError: true,
      response: { status: 403, data: { a: 1 } },
    });
  });
  expect(sandbox.seen[0]).toMatchObject({
    url: '/api.example.com/form?v=2',
    body: 'code=x+y',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' },
  });
});

test('work of two callers at once is told apart', async () => {
  const sandbox = await serve((_request, response) => response.end());
  const { egress } = door({ sandboxUrl: sandbox.url });
  await Promise.all(
    ['a', 'b', 'c'].map((operation) =>
      egress.within({ ...caller, connectionId: operation, operation }, async () => {
        await fetch(`https://api.example.com/${operation}/1`);
        await axios.get(`https://api.example.com/${operation}/2`);
      }),
    ),
  );
  expect(egress.metrics().map(({ operation, count }) => [operation, count])).toEqual([
    ['a', 2],
    ['b', 2],
    ['c', 2],
  ]);
});

test('a caller that gives up ends the call inside of work', async () => {
  const stop = new AbortController();
  const sandbox = await serve(() => stop.abort(new Error('enough')));
  const { egress } = door({ sandboxUrl: sandbox.url });
  const call = egress.within(caller, () => fetch('https://api.example.com/', { signal: stop.signal }));
  await expect(call).rejects.toThrow('enough');
});
