// The whole road, end to end, on real servers of the sandbox: connect, sync, ask, look, propose, approve,
// arrive. Walked by the old SDK's client and the new one, on the older wires and the new, over HTTP and stdio.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as NewClient, StreamableHTTPClientTransport as NewHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { createKeys } from '../../src/auth/keys.ts';
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import type { Serving } from '../../src/serving.ts';

const root = join(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'drawbridge-story-'));
const env = {
  DRAWBRIDGE_HOME: home,
  DRAWBRIDGE_PORT: '0',
  DRAWBRIDGE_ALLOW_LOOPBACK: '1',
  DRAWBRIDGE_HOLD_SECONDS: '0',
  DRAWBRIDGE_LOG_LEVEL: 'error',
};
let sandbox: Sandbox;
let serving: Serving;
let key: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  serving = await runServe(loadConfig(env), { port: 0 });
  const { rooms } = serving;
  const connect = async (
    provider: string,
    fields: Record<string, string>,
    secrets: Record<string, string>,
  ) => {
    const connection = await rooms.connections.connect(rooms.org, provider, { fields, secrets });
    if (connection.hasFeeds) await rooms.refresh(rooms.org, connection.id);
  };
  const { mail, imap, smtp, caldav, zillow } = sandbox;
  await connect(
    'mailbox',
    { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
    { password: mail.password },
  );
  await connect('caldav', { url: caldav.url, user: caldav.user }, { password: caldav.password });
  await connect('zillow', { host: zillow.host }, { rapidapi_key: zillow.key });
  const made = await createKeys(rooms).create(rooms.org.orgId, 'story', ['read', 'propose']);
  key = made.key.reveal();
}, 60_000);

afterAll(async () => {
  await serving.close();
  await sandbox.close();
  rmSync(home, { recursive: true, force: true });
});

interface Answer {
  isError?: boolean;
  structuredContent?: Record<string, unknown>;
  content: { type: string; text?: string }[];
}

interface Walker {
  call(name: string, args: object): Promise<Answer>;
  read(uri: string): Promise<string>;
  list(): Promise<string[]>;
  close(): Promise<void>;
}

type Wire = { name: string; open(): Promise<Walker> };

function walker(client: OldClient | NewClient): Walker {
  // The two SDKs' types are alike where it counts here.
  const c = client as NewClient;
  return {
    call: async (name, args) =>
      (await c.callTool({ name, arguments: args as Record<string, unknown> })) as unknown as Answer,
    read: async (uri) => ((await c.readResource({ uri })).contents[0] as { text: string }).text,
    list: async () => (await c.listTools()).tools.map((tool) => tool.name),
    close: () => c.close(),
  };
}

const url = () => new URL(`http://127.0.0.1:${new URL(serving.web()?.url ?? '').port}/mcp`);
const headers = () => ({ requestInit: { headers: { Authorization: `Bearer ${key}` } } });
const stdio = () => ({
  command: process.execPath,
  args: [join(root, 'src/cli.ts'), 'stdio'],
  env: { ...env, PATH: process.env['PATH'] ?? '' },
});
const info = { name: 'walker', version: '1.0.0' };

const wires: Wire[] = [
  {
    name: 'the old SDK over HTTP',
    open: async () => {
      const client = new OldClient(info);
      await client.connect(new OldHttp(url(), headers()) as never);
      return walker(client);
    },
  },
  {
    name: 'the old SDK over stdio',
    open: async () => {
      const client = new OldClient(info);
      await client.connect(new OldStdio(stdio()));
      return walker(client);
    },
  },
  {
    name: 'the new SDK over HTTP, 2026-07-28',
    open: async () => {
      const client = new NewClient(info, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new NewHttp(url(), headers()));
      expect(client.getDiscoverResult()).toBeDefined();
      return walker(client);
    },
  },
  {
    name: 'the new SDK over stdio',
    open: async () => {
      const client = new NewClient(info, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new NewStdio(stdio()));
      return walker(client);
    },
  },
];

describe.each(wires)('$name', (wire) => {
  test('asks, looks, proposes, is approved, and what was approved arrives', async () => {
    const { rooms } = serving;
    const walk = await wire.open();
    try {
      expect(await walk.list()).toContain('ime-search');

      const found = await walk.call('ime-search', {
        question: 'What does Elena Vasquez want: stairs, one level, piano?',
      });
      const passages = found.structuredContent?.['passages'] as {
        uri: string;
        text: string;
        citation: { start: number; end: number };
      }[];
      expect(passages.length).toBeGreaterThan(0);
      const [first] = passages;
      // A citation is exact: the resource holds the passage at its span.
      const whole = await walk.read(first?.uri ?? '');
      expect(whole.slice(first?.citation.start, first?.citation.end)).toBe(first?.text);

      const listings = await walk.call('search', { property: { location: 'Port Ansel' } });
      const hits = listings.structuredContent?.['hits'] as {
        listingId: string;
        title: string;
        uri: string;
      }[];
      expect(hits.length).toBeGreaterThan(0);
      expect(await walk.read(hits[0]?.uri ?? '')).toContain(hits[0]?.title);
      const detail = await walk.call('property-detail', { id: hits[0]?.listingId });
      expect(detail.structuredContent?.['priceHistory']).not.toEqual([]);

      const subject = `Viewing by ${wire.name.replace(',', '')}`;
      const mail = await walk.call('send-email', {
        to: ['Elena Vasquez <elena.vasquez@mail.example>'],
        subject,
        markdown: 'Shall we look at it on **Thursday**?',
      });
      expect(mail.structuredContent).toMatchObject({ status: 'pending' });
      const again = await walk.call('send-email', {
        to: ['Elena Vasquez <elena.vasquez@mail.example>'],
        subject,
        markdown: 'Shall we look at it on **Thursday**?',
      });
      expect(again.structuredContent?.['actionId']).toBe(mail.structuredContent?.['actionId']);

      const event = await walk.call('schedule-event', {
        title: subject,
        start: '2027-03-04T15:00',
        durationMinutes: 45,
        timeZone: 'America/Los_Angeles',
        attendees: ['elena.vasquez@mail.example'],
      });
      expect(event.structuredContent).toMatchObject({ status: 'pending' });
      expect(
        sandbox.smtp.received().filter((message) => message.raw.toString().includes(subject)),
      ).toHaveLength(0);

      for (const proposed of [mail, event]) {
        const { actionId, payloadHash } = proposed.structuredContent as {
          actionId: string;
          payloadHash: string;
        };
        await rooms.queue.decide(rooms.org, rooms.owner, {
          actionId,
          hash: payloadHash,
          verdict: 'approve',
          channel: 'page',
        });
        const settled = await waitUntilFinal(walk, actionId);
        expect(settled).toMatchObject({ status: 'completed' });
      }
      expect(
        sandbox.smtp.received().filter((message) => message.raw.toString().includes(subject)),
      ).toHaveLength(1);
      expect(sandbox.caldav.events().filter((stored) => stored.includes(subject))).toHaveLength(1);
    } finally {
      await walk.close();
    }
  }, 60_000);
});

async function waitUntilFinal(walk: Walker, actionId: string): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 10; tries += 1) {
    const { structuredContent } = await walk.call('action-status', { actionId, waitSeconds: 5 });
    if (!['approved', 'executing'].includes(String(structuredContent?.['status'])))
      return structuredContent ?? {};
  }
  throw new Error(`${actionId} did not come to its end`);
}

test('a reply goes into its thread, and to the sender', async () => {
  const { rooms } = serving;
  const answer = await rooms.memory.search(rooms.org, {
    question: 'one level, no stairs',
    kinds: ['mail'],
    limit: 10,
  });
  const passage = answer.passages.find((p) =>
    p.people.some((person) => person.role === 'from' && person.address === 'elena.vasquez@mail.example'),
  );
  expect(passage).toBeDefined();
  const wire = wires[2];
  if (wire === undefined || passage === undefined) throw new Error('nothing to answer');
  const walk = await wire.open();
  const proposed = await walk.call('send-email', {
    replyTo: `ime://documents/${passage.documentId}`,
    text: 'Noted.',
  });
  const action = await rooms.queue.get(rooms.org, String(proposed.structuredContent?.['actionId']));
  const original = await rooms.memory.document(rooms.org, passage.documentId);
  expect(action.payload).toMatchObject({
    to: [{ email: 'elena.vasquez@mail.example' }],
    subject: expect.stringMatching(/^Re: /),
    inReplyTo: original.facts['messageId'],
  });
  await walk.close();
});

test('no account, or more than one that fits, is said and nothing is queued', async () => {
  const { rooms } = serving;
  const before = (await rooms.queue.list(rooms.org, { limit: 200 })).length;
  const wire = wires[2];
  if (wire === undefined) throw new Error('no wire');
  const walk = await wire.open();
  const unknown = await walk.call('send-email', {
    to: ['a@b.example'],
    subject: 'x',
    text: 'y',
    account: 'nobody@else.example',
  });
  expect(unknown.isError).toBe(true);
  expect(unknown.content[0]?.text).toContain(sandbox.mail.address);
  const hostile = await walk.call('send-email', {
    to: ['a@b.example\r\nBcc: x@y.example'],
    subject: 'x',
    text: 'y',
  });
  expect(hostile.isError).toBe(true);
  expect(hostile.content[0]?.text).toContain('to.0');
  expect((await rooms.queue.list(rooms.org, { limit: 200 })).length).toBe(before);
  await walk.close();
});
