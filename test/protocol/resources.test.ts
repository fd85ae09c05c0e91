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
const env = { DRAWBRIDGE_HOME: home, DRAWBRIDGE_PORT: '0', DRAWBRIDGE_LOG_LEVEL: 'fatal' };
let serving: Serving;
let client: Client;
let connectionId: string;

async function store(text: string): Promise<void> {
  const { rooms } = serving;
  const connection = await rooms.connections.files(rooms.org);
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
  const url = new URL(`http://127.0.0.1:${new URL(serving.web()?.url ?? '').port}/mcp`);
  const requestInit = { headers: { Authorization: `Bearer ${made.key.reveal()}` } };
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

test('each of the five kinds has its template', async () => {
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map((template) => template.uriTemplate).sort()).toEqual([
    'action://{id}',
    'connection://{id}',
    'ime://clients/{id}',
    'ime://documents/{id}',
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
