// connect-provider, as agents call it: by clients that can lead a person to a page, on both eras of the
// protocol, and by one that cannot.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as NewClient, StreamableHTTPClientTransport as NewHttp } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import type { Serving } from '../../src/serving.ts';
import { serveFrom } from '../protocol/serve.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-connect-'));
let serving: Serving;
let mcp: URL;
let requestInit: { headers: Record<string, string> };

beforeAll(async () => {
  serving = await serveFrom(home, { DRAWBRIDGE_PROVIDERS_OFF: 'zillow' });
  const made = await createKeys(serving.rooms).create(serving.rooms.org.orgId, 'reader', ['read']);
  mcp = new URL(`${serving.web()?.programUrl}/mcp`);
  requestInit = { headers: { Authorization: `Bearer ${made.key.reveal()}` } };
});

afterAll(async () => {
  await serving.close();
  rmSync(home, { recursive: true, force: true });
});

interface Asked {
  mode: unknown;
  url: unknown;
  message: unknown;
}

type Call = (args: Record<string, unknown>) => Promise<{
  structuredContent?: unknown;
  content?: unknown;
  isError?: unknown;
}>;

/** @param action what the person says to the client; undefined: the client cannot lead anybody anywhere */
async function oldClient(action: 'accept' | 'decline' | undefined): Promise<{ call: Call; asked: Asked[] }> {
  const asked: Asked[] = [];
  const capabilities = action === undefined ? {} : { elicitation: { url: {} } };
  const client = new OldClient({ name: 'old', version: '1' }, { capabilities });
  if (action !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push({ mode: params.mode, url: 'url' in params ? params.url : '', message: params.message });
      return { action };
    });
  }
  await client.connect(new OldHttp(mcp, { requestInit }) as never);
  const call = (args: Record<string, unknown>) =>
    client.callTool({ name: 'connect-provider', arguments: args }) as ReturnType<Call>;
  return { asked, call };
}

async function newClient(action: 'accept' | 'decline'): Promise<{ call: Call; asked: Asked[] }> {
  const asked: Asked[] = [];
  const client = new NewClient(
    { name: 'new', version: '1' },
    { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: 'auto' } },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push({ mode: params.mode, url: 'url' in params ? params.url : '', message: params.message });
    return { action };
  });
  await client.connect(new NewHttp(mcp, { requestInit }));
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  const call = (args: Record<string, unknown>) =>
    client.callTool({ name: 'connect-provider', arguments: args }) as ReturnType<Call>;
  return { asked, call };
}

const page = (path: string) => `${serving.web()?.url}${path}`;

test.each([
  ['an older client', () => oldClient('accept')],
  ['a new client', () => newClient('accept')],
])('%s leads the person to the page, and the answer says so', async (_who, open) => {
  const { call, asked } = await open();
  const answer = await call({ provider: 'gmail', access: 'read' });
  const url = page('/connect/gmail?access=read');
  expect(asked).toEqual([{ mode: 'url', url, message: 'Connect Gmail to Drawbridge' }]);
  expect(JSON.stringify(answer.content)).toContain('The person was led to the page.');
  expect(answer.structuredContent).toMatchObject({ url });
});

test.each([
  ['an older client', () => oldClient('decline')],
  ['a new client', () => newClient('decline')],
])('a person who does not go is not taken for one who did, through %s', async (_who, open) => {
  const { call } = await open();
  const answer = await call({ provider: 'gmail' });
  expect(JSON.stringify(answer.content)).toContain('did not open the page');
});

test('a client that cannot is given the link, what is asked for, and nothing that signs anybody in', async () => {
  const { call } = await oldClient(undefined);
  const answer = await call({ provider: 'gmail' });
  expect(answer.structuredContent).toEqual({
    url: page('/connect/gmail?access=write'),
    asks: expect.arrayContaining(['Send an e-mail', 'first, to register an app at Gmail']),
  });
  expect(JSON.stringify(answer)).not.toContain('token');
  expect((await call({ provider: 'mailchimp' })).structuredContent).toMatchObject({
    asks: expect.arrayContaining([
      expect.stringMatching(/^to paste this: .+; or to register an app at Mailchimp$/u),
    ]),
  });
  const links = await serving.rooms.store.control.read((db) =>
    db.selectFrom('sign_in_links').selectAll().execute(),
  );
  expect(links).toEqual([]);
});

test('without a provider it lists what can be connected', async () => {
  const { call } = await oldClient(undefined);
  const { structuredContent } = await call({});
  expect(structuredContent).toMatchObject({
    providers: expect.arrayContaining([
      { id: 'gmail', title: 'Gmail', status: 'not-configured' },
      { id: 'mailbox', title: 'Mailbox (IMAP and SMTP)', status: 'available' },
      { id: 'zillow', title: 'Zillow (RapidAPI)', status: 'off' },
    ]),
  });
});

test.each([
  [{ provider: 'fax' }, 'provider: there is no \\"fax\\"'],
  [{ provider: 'zillow' }, 'switched off'],
  [{ account: 'nobody' }, 'account: \\"nobody\\" names no account'],
])('%j is refused in words', async (args, words) => {
  const { call } = await oldClient(undefined);
  const answer = await call(args);
  expect(answer.isError).toBe(true);
  expect(JSON.stringify(answer.content)).toContain(words);
});

test('an expired account is connected again by its name, and the list says where', async () => {
  const { rooms } = serving;
  const { connections, org } = rooms;
  const at = rooms.clock.now();
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id: 'con_expired',
        provider: 'hubspot',
        account: '4711',
        label: 'Northgate',
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: at,
        updated_at: at,
      })
      .execute(),
  );
  await connections.report(org, 'con_expired', { error: new DrawbridgeError('auth_revoked', 'Gone.') });
  const url = page('/connect/hubspot?access=write&account=con_expired');
  const { call } = await oldClient(undefined);
  expect((await call({ account: 'Northgate' })).structuredContent).toMatchObject({ url });
  const client = new OldClient({ name: 'old', version: '1' });
  await client.connect(new OldHttp(mcp, { requestInit }) as never);
  const listed = await client.callTool({ name: 'list-connections', arguments: {} });
  expect(JSON.stringify(listed.structuredContent)).toContain(page('/connect/hubspot?account=con_expired'));
});
