// What the HTTP side does with malformed messages: every one is answered, none as a crash, none with a stack.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import type { Serving } from '../../src/serving.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-http-faults-'));
let serving: Serving;
let key: string;
let url: string;

beforeAll(async () => {
  // The calls are made in the server's own process, which else lets nothing out past the door.
  const env = { DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'silent', DRAWBRIDGE_ALLOW_LOOPBACK: '1' };
  serving = await runServe(loadConfig(env), { port: 0 });
  key = (
    await createKeys(serving.rooms).create(serving.rooms.org.orgId, 'faults', ['read', 'propose'])
  ).key.reveal();
  url = `http://127.0.0.1:${serving.web()?.port}/mcp`;
});
afterAll(async () => {
  await serving.close();
  rmSync(home, { recursive: true, force: true });
});

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${key}`,
      ...headers,
    },
  });

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'faults', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

test('two thousand malformed messages of both eras are answered below 500, as JSON, without a stack', async () => {
  const method = fc.oneof(
    fc.constantFrom(
      'tools/call',
      'tools/list',
      'resources/read',
      'server/discover',
      'subscriptions',
      'initialize2',
      '',
    ),
    fc.string(),
  );
  const message = fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0', null),
      id: fc.oneof(fc.integer(), fc.constant(null)),
      method,
      params: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const modern = fc.record({
    jsonrpc: fc.constant('2.0'),
    id: fc.integer(),
    method,
    params: fc
      .dictionary(fc.constantFrom('name', 'arguments', 'uri', 'cursor'), fc.jsonValue())
      .map((params) => ({ ...params, _meta: envelope })),
  });
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    message.map((m) => JSON.stringify(m)),
    modern.map((m) => JSON.stringify(m)),
  );
  const version = fc.constantFrom<Record<string, string>>(
    {},
    { 'mcp-protocol-version': '2026-07-28' },
    { 'mcp-protocol-version': 'x' },
    { 'mcp-session-id': 'nobody' },
  );
  for (const [text, headers] of fc.sample(fc.tuple(body, version), { numRuns: 2_000, seed: 20_261_121 })) {
    const answer = await post(text, headers);
    const said = await answer.text();
    expect(answer.status, `${text.slice(0, 200)} → ${said.slice(0, 200)}`).toBeLessThan(500);
    expect(said).not.toMatch(/\n\s+at |node_modules|\.ts:\d/);
  }
});

test('ten megabytes are refused with 413 before they are parsed', async () => {
  expect((await post(`{"x":"${'y'.repeat(10_000_000)}"}`)).status).toBe(413);
});

test('an unknown session is 404, a session of another key too, and none is 400', async () => {
  expect(
    (await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', { 'mcp-session-id': 'made-up' })).status,
  ).toBe(404);
  expect((await post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).status).toBe(400);
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  const opened = await post(JSON.stringify(hello));
  const session = opened.headers.get('mcp-session-id') ?? '';
  expect(opened.status).toBe(200);
  await opened.body?.cancel();
  const other = (
    await createKeys(serving.rooms).create(serving.rooms.org.orgId, 'other', ['read'])
  ).key.reveal();
  const list = '{"jsonrpc":"2.0","id":2,"method":"tools/list"}';
  expect((await post(list, { 'mcp-session-id': session, authorization: `Bearer ${other}` })).status).toBe(
    404,
  );
  const mine = await post(list, { 'mcp-session-id': session });
  expect(mine.status).toBe(200);
  expect(await mine.text()).toContain('ime-search');
});

test.each(['', '{"jsonrpc": "2.0"', 'hello'])(
  'a body that is no JSON is a parse error, in a session and without: %j',
  async (body) => {
    const hello = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'f', version: '1' },
    };
    const opened = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello }));
    const session = opened.headers.get('mcp-session-id');
    expect(session).not.toBeNull();
    for (const headers of [{ 'mcp-session-id': `${session}` }, {}]) {
      const answer = await post(body, headers);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: -32700 } });
    }
  },
);

test('a key that may only read is not shown and cannot call what proposes', async () => {
  const reader = (
    await createKeys(serving.rooms).create(serving.rooms.org.orgId, 'reader', ['read'])
  ).key.reveal();
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'send-email',
      arguments: { to: ['a@b.example'], subject: 'x', text: 'y' },
      _meta: envelope,
    },
  };
  const headers = {
    authorization: `Bearer ${reader}`,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'send-email',
  };
  const answer = await (await post(JSON.stringify(call), headers)).text();
  expect(answer).toMatch(/not found|unknown|error/i);
  expect(await serving.rooms.queue.list(serving.rooms.org)).toEqual([]);
});
