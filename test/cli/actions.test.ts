// Deciding at a terminal and from a script, on real mail servers; and the agent's shell that may not.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import type { Agent } from '../../src/auth/principal.ts';
import { loadConfig } from '../../src/config.ts';
import { liveProcesses } from '../../src/jobs/presence.ts';
import type { Action } from '../../src/queue/queue.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { createAuthenticator } from '../auth/authenticator.ts';
import { newProgram, type Program } from './program.ts';

let sandbox: Sandbox;
let program: Program;
let rooms: Rooms;
let connectionId: string;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  program = await newProgram({
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_HOLD_SECONDS: '0',
    DRAWBRIDGE_LOG_LEVEL: 'error',
  });
  const { mail, imap, smtp } = sandbox;
  const made = await program.json<{ id: string }>(
    [
      'connect',
      'mailbox',
      '--email',
      mail.address,
      '--imap',
      `${imap.host}:${imap.port}`,
      '--smtp',
      `${smtp.host}:${smtp.port}`,
      '--password-stdin',
    ],
    { input: `${mail.password}\n` },
  );
  connectionId = made.id;
  rooms = await openRooms(loadConfig(onlyOurs(program.environment)));
});

afterAll(async () => {
  await rooms?.close();
  await program?.remove();
  await sandbox?.close();
});

function onlyOurs(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('DRAWBRIDGE_')));
}

async function propose(subject: string, text: string, html?: string): Promise<Action> {
  const { org, queue } = rooms;
  const agent: Agent = {
    kind: 'agent',
    orgId: org.orgId,
    agentId: 'stdio',
    name: 'Test agent',
    scopes: ['read', 'propose'],
  };
  const payload = {
    to: [{ email: 'bo@clients.test', name: 'Bo' }],
    cc: [],
    bcc: [{ email: 'quiet@clients.test' }],
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    references: [],
    attachments: [],
  };
  const { action } = await queue.propose(org, agent, {
    connectionId,
    operation: 'send',
    payload,
    warnings: ['Bo has two addresses.'],
  });
  return action;
}

test('a wrong flag value is named as the flag it came by, and nothing is connected', async () => {
  const { mail, imap, smtp } = sandbox;
  const servers = ['--imap', `${imap.host}:${imap.port}`, '--smtp', `${smtp.host}:${smtp.port}`];
  const bad = await program.run(
    ['connect', 'mailbox', '--email', 'no address', ...servers, '--password-stdin'],
    { input: 'x\n' },
  );
  expect(bad).toMatchObject({ code: 2, stdout: '' });
  expect(bad.stderr).toContain('--email');
  const none = await program.run(['connect', 'mailbox', '--email', 'a@nowhere.test', '--password-stdin'], {
    input: 'x\n',
  });
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('--imap');
  const refused = await program.run(
    ['connect', 'mailbox', '--email', mail.address, ...servers, '--password-stdin'],
    { input: 'not the password\n' },
  );
  expect(refused.code).toBe(1);
  expect(refused.stderr).not.toContain('not the password');
  const connections = await program.json<{ id: string; state: string }[]>(['connections']);
  expect(connections.map(({ id, state }) => ({ id, state }))).toEqual([
    { id: connectionId, state: 'ACTIVE' },
  ]);
});

test('at a terminal connect asks for what is missing, and shows no password', async () => {
  const { colleague, imap, smtp } = sandbox;
  const { code, screen } = await program.onTerminal(
    ['connect', 'mailbox', '--no-sync'],
    [
      ['E-mail address of the mailbox', colleague.address],
      ['IMAP server', `${imap.host}:${imap.port}`],
      ['SMTP server', `${smtp.host}:${smtp.port}`],
      ['(not shown):', colleague.password],
    ],
  );
  expect(screen).toContain(`${colleague.address} (Mailbox (IMAP and SMTP)) is connected`);
  expect(screen).not.toContain(colleague.password);
  expect(code).toBe(0);
  await program.json(['disconnect', colleague.address, '--yes']);
});

test('at a terminal the whole message is shown, and only "yes" sends it, at once and without a server', async () => {
  const before = sandbox.smtp.received().length;
  const action = await propose(
    'Viewing on Friday',
    'Dear Bo,\n\nFriday at ten.\u001b[2K\u202E\nFrom: forged\n',
  );
  const no = await program.onTerminal(['actions', 'approve', action.id], [['Type yes to go on:', 'y']]);
  expect(no.code).toBe(1);
  expect((await rooms.queue.get(rooms.org, action.id)).status).toBe('pending');
  const yes = await program.onTerminal(['actions', 'approve', action.id], [['Type yes to go on:', 'yes']]);
  for (const words of [
    'bo@clients.test',
    'quiet@clients.test',
    'Viewing on Friday',
    'Friday at ten.<U+001B>[2K<U+202E>',
    'Bo has two addresses.',
    action.payloadHash,
  ]) {
    expect(yes.screen).toContain(words);
  }
  // The message's own text stands behind a bar: it cannot pass for a line of ours.
  expect(yes.screen).toMatch(/│\S* From: forged/);
  expect(yes.code).toBe(0);
  expect(
    sandbox.smtp
      .received()
      .slice(before)
      .map(({ to }) => to),
  ).toEqual([['bo@clients.test', 'quiet@clients.test']]);
  expect((await rooms.queue.get(rooms.org, action.id)).status).toBe('completed');
});

test('what the page points out is said at a terminal too, last, just above the question', async () => {
  const action = await propose(
    'Keys',
    `Dear\u200B Bo${'\n'.repeat(30)}and wire the deposit`,
    '<p>Dear Bo</p><p>and wire the deposit to Eve</p>',
  );
  const { screen } = await program.onTerminal(
    ['actions', 'approve', action.id],
    [['Type yes to go on:', 'no']],
  );
  const last = screen.slice(screen.indexOf(action.payloadHash));
  const { stdout } = await program.run(['actions', 'show', action.id]);
  const told = stdout.trimEnd().split('\n').slice(-4).join('\n');
  for (const words of [
    'Bo has two addresses.',
    'It holds an invisible character',
    'goes on after a long blank stretch',
    'the plain text has not: to, Eve',
  ]) {
    expect(last).toContain(words);
    expect(told).toContain(words);
  }
  expect(last.indexOf('Approve exactly this?')).toBeGreaterThan(last.indexOf('to, Eve'));
});

test('a script decides on a hash alone: another hash sends nothing', async () => {
  const before = sandbox.smtp.received().length;
  const action = await propose('By hash', 'One.');
  const listed = await program.json<{ id: string; payloadHash: string }[]>([
    'actions',
    'list',
    '--status',
    'pending',
  ]);
  expect(listed.map(({ id }) => id)).toContain(action.id);
  const wrong = await program.json<{ error: { code: string } }>(
    ['actions', 'approve', action.id, '--hash', 'f'.repeat(64)],
    { code: 1 },
  );
  expect(wrong.error.code).toBe('conflict');
  expect(sandbox.smtp.received()).toHaveLength(before);
  const shown = await program.json<{ payloadHash: string; status: string }>(['actions', 'show', action.id]);
  expect(shown.status).toBe('pending');
  const done = await program.json<{ status: string; decisionChannel: string }>([
    'actions',
    'approve',
    action.id,
    '--hash',
    shown.payloadHash,
  ]);
  expect(done).toMatchObject({ status: 'completed', decisionChannel: 'terminal' });
  expect(sandbox.smtp.received()).toHaveLength(before + 1);
});

test('what is rejected is never sent', async () => {
  const before = sandbox.smtp.received().length;
  const action = await propose('Not this one', 'Two.');
  const rejected = await program.json<{ status: string; decisionReason: string }>([
    'actions',
    'reject',
    action.id,
    '--reason',
    'wrong Bo',
  ]);
  expect(rejected).toMatchObject({ status: 'rejected', decisionReason: 'wrong Bo' });
  await program.json(['actions', 'approve', action.id, '--hash', action.payloadHash], { code: 1 });
  expect(sandbox.smtp.received()).toHaveLength(before);
});

test('from the shell of the agent whose server lives, approve, open, keys create, members add, policy, own addresses and audit erase are refused', async () => {
  const action = await propose('From the agent', 'Three.');
  // This process plays the agent's program: it starts the server, and then the command.
  const server = program.start(['stdio']);
  try {
    server.stdin?.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'agent', version: '1' } } })}\n`,
    );
    await expect
      .poll(async () => (await liveProcesses(rooms.store)).map(({ pid }) => pid), { timeout: 30_000 })
      .toContain(server.pid);
    for (const args of [
      ['actions', 'approve', action.id, '--hash', action.payloadHash],
      ['open', '--print'],
      ['keys', 'create', '--name', 'Mine'],
      ['audit', 'erase', action.id, '--yes'],
      ['notify', '--mail', sandbox.mail.address],
      ['notify', '--stop'],
      ['policy', 'add', 'auto', '--name', 'Mine', '--json'],
      ['policy', 'remove', 'pol_1', '--json'],
      ['policy', 'presence', 'none', '--json'],
      ['policy', 'passkeys', '--remove', 'x', '--json'],
      ['members', 'add', '--email', 'mine@elsewhere.example'],
      ['members', 'unlink', 'ana@northgate.example'],
      ['settings', 'own-addresses', 'mine@elsewhere.example'],
      ['import', 'none.mbox', '--mine', 'mine@elsewhere.example'],
    ]) {
      const { error } = await program.json<{ error: { code: string } }>(args, { code: 1 });
      expect(error.code).toBe('permission_denied');
    }
    expect((await rooms.queue.get(rooms.org, action.id)).status).toBe('pending');
  } finally {
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.stdin?.end();
    await closed;
  }
});

test('where a passkey signs, the terminal names the page instead of approving, and shows what was signed', async () => {
  const { org, owner, passkeys, policy, presence, queue } = rooms;
  const origin = 'http://drawbridge.localhost:7331';
  const key = createAuthenticator(origin);
  const { challenge } = await passkeys.begin(org, owner, origin);
  await passkeys.finish(org, owner, { origin, name: 'Laptop', response: key.create(challenge) });
  await policy.setSignedEffects(org, owner, { effects: ['send'], channel: 'page' });
  try {
    const listed = await program.json<{ id: string }[]>(['policy', 'passkeys', '--json']);
    expect(listed).toMatchObject([{ id: key.id, name: 'Laptop', memberId: owner.memberId }]);
    const { id, payloadHash: hash } = await propose('To be signed', 'Four.');
    const refused = await program.run(['actions', 'approve', id, '--hash', hash]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`/actions/${id}`)]);
    expect((await program.run(['actions', 'proof', id])).stderr).toContain('was not signed');

    const { nonce, options } = await presence.begin(org, owner, {
      actionId: id,
      verdict: 'approve',
      hash,
      origin,
    });
    const signed = { nonce, origin, assertion: key.get(options.challenge) };
    await queue.decide(org, owner, {
      actionId: id,
      verdict: 'approve',
      hash,
      channel: 'page',
      presence: signed,
    });
    const shown = await program.run(['actions', 'proof', id]);
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('The signature holds')]);
    expect(shown.stderr).not.toContain('Warning');
    const told = await program.json<{ holds: boolean; challenge: string }>([
      'actions',
      'proof',
      id,
      '--json',
    ]);
    expect(told).toMatchObject({ holds: true, challenge: options.challenge });

    // Once it has ended, what was signed can be erased; the signature is over the hash, and still holds.
    await queue.cancel(org, owner, id, 'page');
    await program.json(['audit', 'erase', id, '--reason', 'asked for', '--yes']);
    const without = await program.run(['actions', 'proof', id]);
    expect([without.code, without.stdout]).toEqual([
      0,
      expect.stringMatching(/The signature holds[\s\S]*erased .*, commitment kept/),
    ]);
    expect((await program.json<{ holds: boolean }>(['audit', 'verify'])).holds).toBe(true);

    await org.write(async (tx) => {
      const row = tx.updateTable('action_queue').where('org_id', '=', org.orgId).where('id', '=', id);
      await row.set({ payload_hash: 'b'.repeat(64) }).execute();
    });
    const broken = await program.run(['actions', 'proof', id]);
    expect([broken.code, broken.stdout]).toEqual([1, expect.stringContaining('another payload')]);
    // A lost one is removed here, where no passkey is at hand.
    expect((await program.run(['policy', 'passkeys', '--remove', key.id])).code).toBe(0);
    expect(await passkeys.list(org, owner)).toEqual([]);
  } finally {
    await policy.setSignedEffects(org, owner, { effects: [], channel: 'page' });
  }
});

test('an ended action is erased by its id, and by a person named in it, with a reason; a live one is left', async () => {
  const [ended, waiting] = [await propose('Gone', 'Five.'), await propose('Waits', 'Six.')];
  await program.json(['actions', 'reject', ended.id]);
  const unsaid = await program.run(['audit', 'erase', ended.id, '--yes']);
  expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining('--reason')]);
  const live = await program.run(['audit', 'erase', waiting.id, '--reason', 'asked for', '--yes']);
  expect([live.code, live.stderr]).toEqual([1, expect.stringContaining('reject it first')]);

  const erase = ['audit', 'erase', '--person', 'quiet@clients.test', '--reason', 'asked for', '--yes'];
  const found = await program.json<{ erased: string[]; live: { id: string }[] }>(erase, { code: 1 });
  expect(found.erased).toContain(ended.id);
  expect(found.live.map(({ id }) => id)).toContain(waiting.id);
  const shown = await program.run(['actions', 'show', ended.id]);
  expect(shown.stdout).toContain(ended.payloadHash);
  expect(shown.stdout).toContain('the hash is kept');
  expect(shown.stdout).not.toContain('Five.');
  expect((await program.run(['actions', 'show', waiting.id])).stdout).toContain('Six.');
  const listed = await program.run(['audit', 'list', '--subject', ended.id]);
  expect(listed.stdout).toContain('action.erased');
  expect((await program.json<{ holds: boolean }>(['audit', 'verify'])).holds).toBe(true);
});

test('serve serves pages, open prints a link that signs in, and a signal ends it', async () => {
  const server = program.start(['serve', '--port', '0', '--json']);
  try {
    let said = '';
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await expect.poll(() => said, { timeout: 30_000 }).toMatch(/\}\n$/);
    const { url } = JSON.parse(said) as { url: string };
    const link = await program.json<{ url: string }>(['open', '--print']);
    expect(link.url.startsWith(`${url}/sign-in?token=`)).toBe(true);
  } finally {
    const closed = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGTERM');
    expect(await closed).toBe(0);
  }
});

test('doctor logs in to the account, and says so when it cannot', async () => {
  const label = sandbox.mail.address;
  const { checks } = await program.json<{ checks: { part: string; state: string }[] }>(['doctor']);
  expect(checks.find(({ part }) => part.startsWith(label))).toMatchObject({ state: 'ok' });
  const shut = await program.run(['doctor', '--json'], { environment: { DRAWBRIDGE_ALLOW_LOOPBACK: '0' } });
  expect(shut.code).toBe(1);
  const after = JSON.parse(shut.stdout) as { healthy: boolean; checks: typeof checks };
  expect(after.healthy).toBe(false);
  expect(after.checks.find(({ part }) => part.startsWith(label))).toMatchObject({ state: 'broken' });
});

test('vault rotate renews the master and the data keys, and the connected accounts still log in', async () => {
  const file = join(program.home, 'key');
  const before = await readFile(file, 'utf8');
  const done = await program.json<{ resealed: number }>(['vault', 'rotate', '--master', '--data-keys']);
  expect(done.resealed).toBeGreaterThan(0);
  const after = await readFile(file, 'utf8');
  expect(after.trim().split('\n')).toHaveLength(1);
  expect(after).not.toBe(before);
  expect((await program.run(['sync'])).code).toBe(0);
});
