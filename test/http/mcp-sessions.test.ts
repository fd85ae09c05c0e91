// How long a session of the older protocol lives: while its client asks or listens, and half an hour longer.
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Agent } from '../../src/auth/principal.ts';
import { type McpMount, mountMcp } from '../../src/http/mcp.ts';
import { createLog } from '../../src/log.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';

const agent = { orgId: 'org_1', agentId: 'key_1', name: 'k', scopes: ['read'] } as unknown as Agent;
const minute = 60_000;
let clock: ManualClock;
let mount: McpMount;

beforeEach(() => {
  clock = manualClock();
  mount = mountMcp({
    build: () => ({ server: new McpServer({ name: 's', version: '1' }), subscriptions: new Set<string>() }),
    onChange: () => () => undefined,
    clock,
    log: createLog({ level: 'silent' }),
  });
});

afterEach(() => mount.close());

function ask(method: string, { session, body }: { session?: string; body?: object } = {}): Promise<Response> {
  return mount.fetch(
    new Request('http://drawbridge.test/mcp', {
      method,
      headers: {
        'content-type': 'application/json',
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...body }) }),
    }),
    agent,
  );
}

/** Opens a session; each opening is also when those that are over are put away. */
async function open(): Promise<string> {
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  };
  const opened = await ask('POST', { body: { id: 1, method: 'initialize', params } });
  const session = opened.headers.get('mcp-session-id');
  if (session === null) throw new Error('no session');
  await ask('POST', { session, body: { method: 'notifications/initialized' } });
  return session;
}

const ping = (session: string) => ask('POST', { session, body: { id: 2, method: 'ping' } });

test('a session that neither asks nor listens is over after half an hour', async () => {
  const session = await open();
  clock.advance(31 * minute);
  await open();
  expect((await ping(session)).status).toBe(404);
});

test('a session whose client listens stays, though it asks for nothing all day', async () => {
  const session = await open();
  const stream = await ask('GET', { session });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  clock.advance(24 * 60 * minute);
  await open();
  expect((await ping(session)).status).toBe(200);
});

test('a client that stopped listening has half an hour from then on', async () => {
  const session = await open();
  const stream = await ask('GET', { session });
  clock.advance(60 * minute);
  await stream.body?.cancel();
  clock.advance(29 * minute);
  await open();
  expect((await ping(session)).status).toBe(200);
  clock.advance(31 * minute);
  await open();
  expect((await ping(session)).status).toBe(404);
});

test('a session that is closed ends the stream of who listens', async () => {
  const session = await open();
  const stream = await ask('GET', { session });
  const read = stream.text();
  expect((await ask('DELETE', { session })).ok).toBe(true);
  expect(await read).toBe('');
  expect((await ping(session)).status).toBe(404);
});
