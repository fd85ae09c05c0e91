// Clients of an older revision of the protocol get answers that they can read: what came later is left out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import type { Serving } from '../../src/serving.ts';
import { serveFrom } from './serve.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-older-'));
let serving: Serving;
let url: string;
let authorization: string;

beforeAll(async () => {
  serving = await serveFrom(home);
  const { rooms } = serving;
  const { id } = await rooms.connections.own(rooms.org, 'files');
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: id, provider: 'files' },
    {
      records: [
        {
          externalId: 'lease',
          kind: 'note',
          mediaType: 'text/plain',
          title: 'Lease of Elm Street',
          raw: Buffer.from('The lease of Elm Street ends in May.'),
        },
      ],
    },
  );
  const { key } = await createKeys(rooms).create(rooms.org.orgId, 'reader', ['read']);
  url = `http://127.0.0.1:${new URL(serving.web()?.url ?? '').port}/mcp`;
  authorization = `Bearer ${key.reveal()}`;
});

afterAll(async () => {
  await serving.close();
  rmSync(home, { recursive: true, force: true });
});

interface Content {
  type: string;
  text?: string;
}

/** The content of a search, for a client that speaks `protocolVersion` at most. */
async function found(protocolVersion: string): Promise<Content[]> {
  let session: Record<string, string> = {};
  async function ask(body: object): Promise<Response> {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
    expect(answer.ok).toBe(true);
    return answer;
  }
  const opened = await ask({
    id: 1,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo: { name: 'older', version: '1' } },
  });
  expect(await opened.text()).toContain(`"protocolVersion":"${protocolVersion}"`);
  session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await ask({ method: 'notifications/initialized' });
  const params = { name: 'search', arguments: { question: 'When does the lease end?' } };
  const events = await (await ask({ id: 2, method: 'tools/call', params })).text();
  const data = /^data: (\{.*)$/mu.exec(events)?.[1] ?? '';
  return (JSON.parse(data) as { result: { content: Content[] } }).result.content;
}

test.each(['2024-11-05', '2025-03-26'])(
  'a client of %s is sent no link beside the text, for which it would refuse the whole answer',
  async (version) => {
    const content = await found(version);
    expect(content.map(({ type }) => type)).toEqual(['text']);
    expect(content[0]?.text).toContain('ime://documents/doc_');
  },
);

test.each(['2025-06-18', '2025-11-25'])('a client of %s gets the links, too', async (version) => {
  const content = await found(version);
  expect(content.map(({ type }) => type)).toEqual(['text', 'resource_link']);
});
