// `actions watch`: what other processes propose and decide is seen as it comes; at a terminal a person decides by
// keys, on the whole. And the clients that may carry decisions, as the terminal names them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import type { Agent } from '../../src/auth/principal.ts';
import { loadConfig } from '../../src/config.ts';
import { liveProcesses } from '../../src/jobs/presence.ts';
import type { Action } from '../../src/queue/queue.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { newProgram, type Program } from './program.ts';

let sandbox: Sandbox;
let program: Program;
let rooms: Rooms;
let connectionId: string;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1', DRAWBRIDGE_LOG_LEVEL: 'error' });
  const ours = Object.entries(program.environment).filter(([name]) => name.startsWith('DRAWBRIDGE_'));
  rooms = await openRooms(loadConfig(Object.fromEntries(ours)));
  const { mail, imap, smtp } = sandbox;
  const fields = {
    email: mail.address,
    imap: `${imap.host}:${imap.port}`,
    smtp: `${smtp.host}:${smtp.port}`,
  };
  const secrets = { password: mail.password };
  connectionId = (await rooms.connections.connect(rooms.org, 'mailbox', { fields, secrets })).id;
});

afterAll(async () => {
  await rooms?.close();
  await program?.remove();
  await sandbox?.close();
});

async function propose(subject: string, text = 'Ten.'): Promise<Action> {
  const { org, queue } = rooms;
  const agent: Agent = {
    kind: 'agent',
    orgId: org.orgId,
    agentId: 'stdio',
    name: 'Test agent',
    scopes: ['propose'],
  };
  const to = [{ email: 'bo@clients.test' }];
  const payload = { to, cc: [], bcc: [], subject, text, references: [], attachments: [] };
  return (await queue.propose(org, agent, { connectionId, operation: 'send', payload })).action;
}

interface Line {
  actionId: string;
  from: string | null;
  to: string;
  channel: string;
  payloadHash: string;
}

test('with --json each move of any process is one line, what waits at first, until Ctrl-C', async () => {
  const before = await propose('Waits already');
  const watching = program.start(['actions', 'watch', '--json']);
  const closed = new Promise((resolve) => watching.once('close', resolve));
  let said = '';
  watching.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // What stands behind the last end of a line is a line that has not come whole.
  const lines = () =>
    said
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  const of = (action: Action) =>
    lines()
      .filter(({ actionId }) => actionId === action.id)
      .map(({ from, to, channel }) => [from, to, channel]);
  try {
    await expect.poll(() => of(before), { timeout: 30_000 }).toEqual([[null, 'pending', 'mcp']]);
    const after = await propose('Comes later');
    await expect.poll(() => of(after)).toEqual([[null, 'pending', 'mcp']]);
    for (const action of [before, after]) {
      await rooms.queue.decide(rooms.org, rooms.owner, {
        actionId: action.id,
        verdict: 'reject',
        hash: action.payloadHash,
        channel: 'page',
      });
    }
    await expect.poll(() => of(after).at(-1)).toEqual(['pending', 'rejected', 'page']);
    expect(lines().find(({ actionId }) => actionId === after.id)?.payloadHash).toBe(after.payloadHash);
  } finally {
    watching.kill('SIGINT');
  }
  expect(await closed).toBe(0);
  // Neither told twice, nor left out.
  expect(of(before)).toHaveLength(2);
});

test('at a terminal s shows the whole message and only "yes" approves it; r rejects with the reason', async () => {
  const one = await propose('Keys for Friday', `Dear Bo,\n\u001b[2Kat ten.\n${'─'.repeat(20)}`);
  const approved = await program.onTerminal(
    ['actions', 'watch'],
    [
      ['Keys for Friday', 's'],
      ['Type yes to go on:', 'no'],
      ['it stays pending', 's'],
      ['Type yes to go on:', 'yes'],
      ['→ ', 'q'],
    ],
  );
  for (const words of ['bo@clients.test', '<U+001B>[2Kat ten.', one.payloadHash]) {
    expect(approved.screen).toContain(words);
  }
  expect(approved.code).toBe(0);
  expect(await rooms.queue.get(rooms.org, one.id)).toMatchObject({ decisionChannel: 'terminal' });
  expect((await rooms.queue.get(rooms.org, one.id)).status).not.toBe('pending');
  const two = await propose('Not this one');
  await program.onTerminal(
    ['actions', 'watch'],
    [
      ['Not this one', 'r'],
      ['Why (may be empty)?', 'wrong day'],
      ['rejected', 'q'],
    ],
  );
  expect(await rooms.queue.get(rooms.org, two.id)).toMatchObject({
    status: 'rejected',
    decisionReason: 'wrong day',
  });
});

test('an action is put off, out of the list until then, and stopped; what cannot be taken back is not', async () => {
  const { id } = await propose('Later');
  const ids = async (...flags: string[]) =>
    (await program.json<{ id: string }[]>(['actions', 'list', '--status', 'pending', ...flags])).map(
      (action) => action.id,
    );
  const off = await program.json<{ snoozedUntil: string }>(['actions', 'snooze', id, '--hours', '2']);
  expect(Date.parse(off.snoozedUntil)).toBeGreaterThan(Date.now() + 7_000_000);
  expect(await ids()).not.toContain(id);
  expect(await ids('--snoozed')).toContain(id);
  const codes = [];
  for (const args of [
    ['hand-over', id, '--to', 'nobody@elsewhere.example'],
    ['undo', id],
  ]) {
    const { error } = await program.json<{ error: { code: string } }>(['actions', ...args], { code: 1 });
    codes.push(error.code);
  }
  expect(codes).toEqual(['not_found', 'conflict']);
  expect(await program.json(['actions', 'cancel', id])).toMatchObject({ status: 'cancelled' });
  expect((await rooms.queue.get(rooms.org, id)).status).toBe('cancelled');
});

test('clients that carry decisions are named, allowed and denied by a person; the record says so', async () => {
  const key = await program.json<{ id: string }>(['keys', 'create', '--name', 'Desk']);
  expect(await program.json(['actions', 'elicitation', 'list'])).toEqual([]);
  const allowed = await program.json<object[]>(['actions', 'elicitation', 'allow', key.id]);
  expect(allowed).toMatchObject([{ client: key.id, name: 'Desk' }]);
  for (const nobody of ['key_nobody', 'oauth_x', '*']) {
    const { error } = await program.json<{ error: { code: string } }>(
      ['actions', 'elicitation', 'allow', nobody],
      { code: 1 },
    );
    expect(error.code).toBe('not_found');
  }
  expect(await program.json(['actions', 'elicitation', 'deny', key.id])).toEqual([]);
  const kinds = await rooms.org.read((db) =>
    db
      .selectFrom('audit_log')
      .select('kind')
      .where('subject', '=', 'elicitation_clients')
      .orderBy('seq')
      .execute(),
  );
  expect(kinds.map(({ kind }) => kind)).toEqual(['policy.client-allowed', 'policy.client-denied']);
});

test('attack: from the shell of the agent whose server lives, no client is allowed to carry decisions', async () => {
  const server = program.start(['stdio']);
  try {
    server.stdin?.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'agent', version: '1' } } })}\n`,
    );
    await expect
      .poll(async () => (await liveProcesses(rooms.store)).map(({ pid }) => pid), { timeout: 30_000 })
      .toContain(server.pid);
    const { error } = await program.json<{ error: { code: string } }>(
      ['actions', 'elicitation', 'allow', 'stdio'],
      { code: 1 },
    );
    expect(error.code).toBe('permission_denied');
    expect(await program.json(['actions', 'elicitation', 'list'])).toEqual([]);
  } finally {
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.stdin?.end();
    await closed;
  }
});
