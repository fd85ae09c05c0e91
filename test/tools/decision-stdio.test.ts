// A decision in the conversation over stdio, where every client on the machine is `stdio`: off until allowed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as NewClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as NewStdio } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { loadConfig } from '../../src/config.ts';
import { createCarriers } from '../../src/queue/decide/carriers.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';

const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
const home = mkdtempSync(join(tmpdir(), 'drawbridge-stdio-'));
const environment = {
  DRAWBRIDGE_HOME: home,
  DRAWBRIDGE_PORT: '0',
  DRAWBRIDGE_ALLOW_LOOPBACK: '1',
  DRAWBRIDGE_LOG_LEVEL: 'fatal',
};
const server = {
  command: process.execPath,
  args: [cli, 'stdio'],
  env: { ...environment, PATH: process.env['PATH'] ?? '' },
};
let sandbox: Sandbox;
let rooms: Rooms;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  rooms = await openRooms(loadConfig(environment));
  const { mail, imap, smtp } = sandbox;
  await rooms.connections.connect(rooms.org, 'mailbox', {
    fields: { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
    secrets: { password: mail.password },
  });
});

afterAll(async () => {
  await rooms?.close();
  await sandbox?.close();
  rmSync(home, { recursive: true, force: true });
});

const reject = { action: 'accept' as const, content: { decision: 'reject', reason: 'Not now' } };
const capabilities = { elicitation: { form: {} } };
type Call = (subject: string) => Promise<unknown>;

async function openOld(): Promise<{ call: Call; close(): Promise<void> }> {
  const client = new OldClient({ name: 'old', version: '1' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, () => reject);
  await client.connect(new OldStdio(server));
  return { call: (subject) => client.callTool(mail(subject)), close: () => client.close() };
}

async function openNew(): Promise<{ call: Call; close(): Promise<void> }> {
  const client = new NewClient(
    { name: 'new', version: '1' },
    { capabilities, versionNegotiation: { mode: 'auto' } },
  );
  client.setRequestHandler('elicitation/create', () => reject);
  await client.connect(new NewStdio(server));
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  return { call: (subject) => client.callTool(mail(subject)), close: () => client.close() };
}

const mail = (subject: string) => ({
  name: 'send-email',
  arguments: { to: ['bo@clients.test'], subject, text: 'Ten.' },
});

test.each([
  ['an older client', openOld],
  ['a new client', openNew],
])('through %s over stdio a person decides once stdio is allowed, and not before', async (who, open) => {
  const { org, owner, queue } = rooms;
  const carriers = createCarriers();
  const { call, close } = await open();
  try {
    const before = (await call(`Before, ${who}`)) as { structuredContent: { actionId: string } };
    expect(before.structuredContent).toMatchObject({ status: 'pending' });
    await carriers.allow(org, owner, { client: 'stdio', channel: 'terminal' });
    const after = (await call(`After, ${who}`)) as { structuredContent: { actionId: string } };
    expect(after.structuredContent).toMatchObject({ status: 'rejected' });
    expect(await queue.get(org, after.structuredContent.actionId)).toMatchObject({
      decisionChannel: 'elicitation',
      decisionReason: 'Not now',
      decidedBy: { name: owner.name },
    });
    expect((await queue.get(org, before.structuredContent.actionId)).status).toBe('pending');
  } finally {
    await close();
    await carriers.deny(org, owner, { client: 'stdio', channel: 'terminal' });
  }
});
