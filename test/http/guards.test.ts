// What a hostile page, a hostile name and a careless client may send: each attack, and that nothing came of it.
import { get as httpGet, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pulse } from '../../src/queue/find.ts';
import { type Browser, type House, mail, openHouse } from './house.ts';

let house: House;
let browser: Browser;

beforeAll(async () => {
  house = await openHouse({ publicUrl: 'https://bridge.example.com' });
  browser = await house.browser();
});
afterAll(() => house.close());

const rpc = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

test('a foreign name that leads here gets no page, no health and no MCP', async () => {
  const port = house.listening.port;
  const key = await house.key();
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    `drawbridge.localhost.evil.example:${port}`,
    `localhost:${port + 1}`,
    `localhost.:${port}`,
    `127.0.0.1:${port}@evil.example`,
    'localhost',
    '',
  ]) {
    for (const path of ['/', '/healthz', '/mcp', '/sign-in']) {
      const answer = await house.ask(path, {
        headers: { host, cookie: browser.cookie, authorization: `Bearer ${key}` },
      });
      // Node itself refuses a malformed Host with 400, before us.
      expect([400, 421], `${host} ${path}`).toContain(answer.status);
      expect(answer.body).not.toContain(browser.csrf);
    }
  }
});

test('it answers to its local names with the port that was connected to, and to its public name', async () => {
  const port = house.listening.port;
  for (const host of [
    `drawbridge.localhost:${port}`,
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    'bridge.example.com',
    'bridge.example.com:443',
  ]) {
    expect((await house.ask('/healthz', { headers: { host } })).status, host).toBe(200);
  }
});

test('an address in the request line does not get past the host check', async () => {
  const answer = await house.ask('http://evil.example/healthz');
  expect(answer.status).toBe(421);
});

test('another site cannot make a browser call MCP, whatever key it holds', async () => {
  const authorization = `Bearer ${await house.key()}`;
  const before = house.mcpCalls.length;
  for (const origin of [
    'https://evil.example',
    'null',
    `http://drawbridge.localhost:1`,
    'http://localhost',
  ]) {
    const answer = await house.ask('/mcp', {
      method: 'POST',
      headers: { origin, authorization, 'content-type': 'application/json' },
      body: rpc,
    });
    expect(answer.status, origin).toBe(403);
    expect((await house.ask('/mcp', { headers: { origin, authorization } })).status, origin).toBe(403);
  }
  const hidden = await house.ask('/mcp', {
    method: 'POST',
    headers: { 'sec-fetch-site': 'cross-site', authorization, 'content-type': 'application/json' },
    body: rpc,
  });
  expect(hidden.status).toBe(403);
  expect(house.mcpCalls.length).toBe(before);
});

test('a program without Origin reaches MCP with its key, and is who the key says', async () => {
  const { id, key } = await house.keys.create(house.org.orgId, 'Program', ['read']);
  const answer = await house.ask('/mcp', {
    method: 'POST',
    headers: { authorization: `Bearer ${key.reveal()}`, 'content-type': 'application/json' },
    body: rpc,
  });
  expect(answer.status).toBe(200);
  expect(house.mcpCalls.at(-1)).toMatchObject({ agentId: id, orgId: house.org.orgId, scopes: ['read'] });
});

test('MCP without a good key is refused on loopback too, and the answer says how to get one', async () => {
  const before = house.mcpCalls.length;
  const headers: Record<string, string>[] = [
    {},
    { authorization: 'Bearer dbk_wrong' },
    { authorization: `Bearer dbk_${'A'.repeat(43)}` },
    { authorization: `Basic ${await house.key()}` },
    { cookie: browser.cookie },
  ];
  for (const given of headers) {
    const answer = await house.ask('/mcp', { method: 'POST', headers: given, body: rpc });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    const { message } = JSON.parse(answer.body).error;
    expect(message).toContain('drawbridge keys create');
    // Whether it never was or is no more, a key that was shown is told apart from none.
    expect(message.startsWith('The key is not known or was revoked.')).toBe('authorization' in given);
  }
  expect(house.mcpCalls.length).toBe(before);
});

test('a key opens no page, and decides nothing', async () => {
  const authorization = `Bearer ${await house.key()}`;
  const action = await house.propose('send', { ...mail, subject: 'By key' });
  for (const path of ['/', '/history', '/connections', '/connect', '/events', `/actions/${action.id}`]) {
    const answer = await house.ask(path, { headers: { authorization } });
    expect(answer.status, path).toBe(401);
    expect(answer.body).not.toContain('By key');
  }
  const decided = await house.ask(`/actions/${action.id}/decision`, {
    method: 'POST',
    headers: { authorization, origin: house.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ verdict: 'approve', hash: action.payloadHash }).toString(),
  });
  expect(decided.status).toBe(401);
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

test('a body over 4 MB is answered 413 before anything reads it, announced or not', async () => {
  const authorization = `Bearer ${await house.key()}`;
  const before = house.mcpCalls.length;
  const body = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20);
  for (const chunked of [false, true]) {
    const answer = await house
      .ask('/mcp', { method: 'POST', headers: { authorization }, body, chunked })
      // The socket may be gone before all of it was sent: refused all the same.
      .catch((error: NodeJS.ErrnoException) => ({ status: error.code === 'EPIPE' ? 413 : 0 }));
    expect([413]).toContain(answer.status);
  }
  expect(house.mcpCalls.length).toBe(before);
  const large = await house.ask('/mcp', {
    method: 'POST',
    headers: { authorization },
    body: body.subarray(0, 4 * 1024 * 1024),
  });
  expect(large.status).toBe(200);
  const unannounced = { method: 'POST', headers: { authorization }, body: 'in pieces', chunked: true };
  expect(JSON.parse((await house.ask('/mcp', unannounced)).body)).toMatchObject({ read: 9 });
});

test('every answer carries the headers that keep a page alone, and none is kept by a cache', async () => {
  const answers = [
    await browser.get('/'),
    await house.ask('/'),
    await house.ask('/sign-in?token=x'),
    await browser.get('/nowhere'),
    await house.ask('/mcp', { method: 'POST', body: rpc }),
    await house.ask('/', { headers: { host: 'evil.example' } }),
  ];
  for (const { headers } of answers) {
    const csp = String(headers['content-security-policy']);
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).toContain("form-action 'self'");
    expect(csp).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('the pages hold no inline script, style or handler', async () => {
  const action = await house.propose('send', { ...mail, html: '<p style="color:red">Hi</p>' });
  for (const path of ['/', `/actions/${action.id}`, '/history', '/connections', '/connect']) {
    const { body } = await browser.get(path);
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)/i);
    expect(body).not.toMatch(/<style|\sstyle="|\son[a-z]+="|javascript:/i);
  }
});

test('a fault inside shows a sentence, no stack and no file', async () => {
  const list = house.connections;
  Object.defineProperty(house, 'connections', {
    configurable: true,
    get() {
      throw new Error('SQLITE_CORRUPT at /home/ana/secret.db');
    },
  });
  try {
    const answer = await browser.get('/connections');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toMatch(/SQLITE|secret\.db|\bat .*:\d+:\d+|node_modules|\.ts\b/);
    expect(house.log.join('')).toContain('SQLITE_CORRUPT');
  } finally {
    Object.defineProperty(house, 'connections', { configurable: true, writable: true, value: list });
  }
});

test('assets are had by their own name only, and may be kept', async () => {
  const { body } = await browser.get('/');
  const path = /href="(\/assets\/[0-9a-f]+\/style\.css)"/.exec(body)?.[1] ?? '';
  const style = await house.ask(path);
  expect(style.status).toBe(200);
  expect(style.headers['content-type']).toContain('text/css');
  expect(style.headers['cache-control']).toContain('immutable');
  for (const foreign of [
    path.replace('style.css', '..%2f..%2froutes.ts'),
    path.replace('style.css', 'toString'),
    '/assets/0000000000000000/style.css',
  ]) {
    expect((await house.ask(foreign)).status, foreign).toBe(404);
  }
});

test('closing ends an open event stream at once', async () => {
  const other = await openHouse();
  const { cookie } = await other.browser();
  const seen = await pulse(other.org, 0);
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    const { port } = other.listening;
    const headers = { cookie, host: `drawbridge.localhost:${port}` };
    httpGet({ host: '127.0.0.1', port, path: `/events?seen=${seen}`, headers }, resolve).on('error', reject);
  });
  expect(stream.headers['content-type']).toContain('text/event-stream');
  const ended = new Promise((resolve) => stream.on('close', resolve).on('error', resolve).resume());
  await other.close();
  await ended;
});
