// The resources as a client meets them: listed, described by templates, completed, read, and told when they change.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import type { Serving } from '../../src/serving.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-resources-'));
const env = {
  DRAWBRIDGE_HOME: home,
  DRAWBRIDGE_PORT: '0',
  DRAWBRIDGE_LOG_LEVEL: 'fatal',
  // The client is in the server's own process, which else lets nothing out past the door.
  DRAWBRIDGE_ALLOW_LOOPBACK: '1',
};
let serving: Serving;
let client: Client;
let connectionId: string;
let url: URL;
let authorization: string;

async function store(text: string): Promise<void> {
  const { rooms } = serving;
  const connection = await rooms.connections.own(rooms.org, 'files');
  connectionId = connection.id;
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: connection.id, provider: 'files' },
    {
      records: [
        {
          externalId: 'lease',
          kind: 'note',
          mediaType: 'application/json',
          title: 'Lease of Elm Street',
          raw: Buffer.from(
            JSON.stringify({
              text,
              people: [{ address: 'ada@example.com', name: 'Ada Byron', role: 'contact' }],
            }),
          ),
        },
      ],
    },
  );
}

beforeAll(async () => {
  serving = await runServe(loadConfig(env), { port: 0 });
  await store('It ends in May.');
  const made = await createKeys(serving.rooms).create(serving.rooms.org.orgId, 'reader', ['read']);
  client = new Client({ name: 'reader', version: '1.0.0' });
  url = new URL(`http://127.0.0.1:${new URL(serving.web()?.url ?? '').port}/mcp`);
  authorization = `Bearer ${made.key.reveal()}`;
  const requestInit = { headers: { Authorization: authorization } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }) as never);
});

afterAll(async () => {
  await client.close();
  await serving.close();
  rmSync(home, { recursive: true, force: true });
});

const listed = async () => (await client.listResources()).resources;
const documentUri = async () =>
  (await listed()).find((entry) => entry.uri.startsWith('ime://documents/'))?.uri ?? 'none';

test('each kind has its template', async () => {
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map((template) => template.uriTemplate).sort()).toEqual([
    'action://{id}',
    'connection://{id}',
    'ime://clients/{id}',
    'ime://documents/{id}',
    'ime://outputs/{id}',
    'ime://sources/{id}',
  ]);
});

test('what is listed can be read', async () => {
  const entries = await listed();
  expect(entries.map((entry) => entry.uri)).toContain(`connection://${connectionId}`);
  for (const { uri } of entries) {
    const [content] = (await client.readResource({ uri })).contents;
    expect(content).toMatchObject({ uri });
  }
  const [document] = (await client.readResource({ uri: await documentUri() })).contents;
  expect(document).toMatchObject({
    text: expect.stringContaining('It ends in May.'),
    _meta: { trust: 'untrusted' },
  });
});

test('an id is completed from a word of its title', async () => {
  const { completion } = await client.complete({
    ref: { type: 'ref/resource', uri: 'ime://documents/{id}' },
    argument: { name: 'id', value: 'elm' },
  });
  expect(completion.values).toEqual([(await documentUri()).replace('ime://documents/', '')]);
});

test('the subject of a brief is completed from the clients that memory knows, by the beginnings of their names', async () => {
  const complete = async (value: string) => {
    const ref = { type: 'ref/prompt' as const, name: 'research-brief' };
    return (await client.complete({ ref, argument: { name: 'subject', value } })).completion.values;
  };
  expect(await complete('')).toEqual(['Ada Byron']);
  expect(await complete('byr')).toEqual(['Ada Byron']);
  expect(await complete('ada@ex')).toEqual(['Ada Byron']);
  expect(await complete('elm')).toEqual([]);
  const { rooms } = serving;
  const other = await rooms.store.forOrg(await rooms.store.createOrg('Another'));
  const { id } = await rooms.connections.own(other, 'files');
  const people = [{ address: 'adam@example.com', name: 'Adam Smith', role: 'contact' }];
  const raw = Buffer.from(JSON.stringify({ text: 'Adam called.', people }));
  const record = {
    externalId: 'a',
    kind: 'note',
    mediaType: 'application/json',
    title: 'A call',
    raw,
  } as const;
  await rooms.memory.ingest(other, { connectionId: id, provider: 'files' }, { records: [record] });
  expect(await rooms.memory.clients(other, { limit: 5 })).toHaveLength(1);
  expect(await complete('ada')).toEqual(['Ada Byron']);
});

test('what is not there is an error that says nothing of what else there is', async () => {
  await expect(client.readResource({ uri: 'ime://documents/doc_nobody' })).rejects.toThrow(/not found/i);
});

test('who asked to hear of a document is told when it changes', async () => {
  const uri = await documentUri();
  const told = new Promise<string>((resolve) => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri));
  });
  await client.subscribeResource({ uri });
  await store('It ends in June.');
  expect(await told).toBe(uri);
});

test('a stream that was cut is taken up at the last event that arrived, and tells what came meanwhile', async () => {
  const uri = await documentUri();
  const headers: Record<string, string> = {
    Authorization: authorization,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
  };
  const post = (message: object) =>
    fetch(url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  const clientInfo = { name: 'raw', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const hello = await post({ id: 1, method: 'initialize', params });
  await hello.text();
  headers['Mcp-Session-Id'] = hello.headers.get('mcp-session-id') ?? '';
  await (await post({ method: 'notifications/initialized' })).text();
  await (await post({ id: 2, method: 'resources/subscribe', params: { uri } })).text();

  /** Listens until an update has come, cuts the line, and gives the event's id. */
  const nextUpdate = async (extra: Record<string, string>, meanwhile: () => Promise<void>) => {
    const cut = new AbortController();
    const answer = await fetch(url, { headers: { ...headers, ...extra }, signal: cut.signal });
    expect(answer.status).toBe(200);
    await meanwhile();
    let said = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body ?? []) {
      said += decoder.decode(piece, { stream: true });
      if (/resources\/updated[^\n]*\n\n/.test(said)) break;
    }
    cut.abort();
    return /id: (\S+)\n(?:.*\n)?.*resources\/updated/.exec(said)?.[1] ?? said;
  };
  const first = await nextUpdate({}, () => store('It ends in July.'));
  await store('It ends in August.');
  const second = await nextUpdate({ 'Last-Event-ID': first }, async () => undefined);
  expect(second).not.toBe(first);
});

test('a long source and a long list of passages stay near 10,000 tokens an answer, and the parts make the whole', async () => {
  const long = Array.from({ length: 9_000 }, (_, n) => `The lease of Elm Street, line ${n}.`).join('\n');
  await store(long);
  const call = async (name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args });
    expect(answer.isError).toBeFalsy();
    expect(JSON.stringify(answer).length).toBeLessThan(45_000);
    return answer.structuredContent as Record<string, unknown>;
  };
  const uri = await documentUri();
  let whole = '';
  for (let offset: unknown = 0; offset !== undefined; ) {
    const part = await call('read-source', { uri, offset });
    whole += String(part['text']);
    offset = part['nextOffset'];
  }
  expect(whole).toContain(long);
  const found = await call('ime-search', { question: 'lease of Elm Street', limit: 20 });
  expect((found['passages'] as unknown[]).length).toBeGreaterThan(1);
});
