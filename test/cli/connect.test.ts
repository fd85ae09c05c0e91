// Connecting at the terminal, without a browser: what can be connected, what is asked, what is refused.
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { loadWorld } from '../../sandbox/world.ts';
import { createZillow } from '../../sandbox/zillow.ts';
import { systemClock } from '../../src/clock.ts';
import { newProgram, type Program } from './program.ts';

let program: Program;

beforeEach(async () => {
  program = await newProgram({ DRAWBRIDGE_PORT: '0', DRAWBRIDGE_PROVIDERS_OFF: 'mailbox' });
});
afterEach(() => program.remove());

test('the help lists every provider with how it stands here, and makes no home for that', async () => {
  const first = await program.run(['connect', '--help']);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/gmail .*connect: Gmail \(its app is not registered yet\)/);
  expect(first.stdout).toMatch(/mailbox .*\(off\)/);
  expect(first.stdout).toMatch(/notion .*connect: Notion \(by a secret that you paste\)/);
  expect(first.stdout).toMatch(/zillow .*connect: Zillow \(RapidAPI\)\n/);
  expect(existsSync(program.home)).toBe(false);

  await program.run(['connections']);
  const environment = {
    DRAWBRIDGE_GOOGLE_CLIENT_ID: 'an-id',
    DRAWBRIDGE_GOOGLE_CLIENT_SECRET: 'a-secret-of-the-app',
  };
  const second = await program.run(['connect', '--help'], { environment });
  expect(second.stdout).toMatch(/gmail .*connect: Gmail\n/);
  expect(second.stdout).toMatch(/hubspot .*\(its app is not registered yet\)/);
});

test('the help of one provider names its own flags', async () => {
  const { stdout } = await program.run(['connect', 'hubspot', '--help']);
  for (const flag of ['--read-only', '--via', '--print', '--client-id', '--client-secret-stdin', '--account'])
    expect(stdout).toContain(flag);
});

test.each([
  [['gmail', '--client-id', 'x'], '--client-id: Gmail gave a secret with it'],
  [['gmail', '--client-secret-stdin'], '--client-secret-stdin: needs --client-id'],
  [['gmail', '--client-id', 'x', '--client-secret-stdin'], '--client-secret-stdin: standard input is empty'],
  [['hubspot', '--via', 'post'], '--via: must be api or mcp'],
  [['gmail', '--via', 'mcp'], "unknown option '--via'"],
])('%j is bad usage, said with its flag', async (args, words) => {
  const { code, stdout, stderr } = await program.run(['connect', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

test('without a browser it says what to run instead, and no link stands anywhere', async () => {
  const { code, stdout, stderr } = await program.run(['connect', 'gmail'], { environment: { PATH: '' } });
  expect(code).toBe(1);
  expect(stderr).toContain('drawbridge connect gmail --print');
  expect(stdout + stderr).not.toContain('/sign-in?');
});

test('an account to connect again must be there', async () => {
  const { code, stderr } = await program.run(['connect', 'gmail', '--print', '--account', 'nobody']);
  expect(code).toBe(1);
  expect(stderr).toContain('There is no account "nobody"');
});

test('a provider that is off is refused by name', async () => {
  const { code, stderr } = await program.run(
    [
      'connect',
      'mailbox',
      '--email',
      'a@b.test',
      '--imap',
      'b.test:993',
      '--smtp',
      'b.test:465',
      '--password-stdin',
    ],
    { input: 'secret-word\n' },
  );
  expect(code).toBe(1);
  expect(stderr).toContain('switched off in this installation');
});

test('what disconnecting leaves to the person is told, and the list says what each account needs', async () => {
  const world = loadWorld(systemClock.now());
  const key = 'sandbox-only-rapidapi-key';
  const hosts = await startProviderHosts([
    createZillow({ clock: systemClock, key, listings: world.listings }),
  ]);
  const own = await newProgram({
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
  });
  try {
    const made = await own.json<{ id: string; state: string }>(
      ['connect', 'zillow', '--rapidapi-key-stdin'],
      {
        input: `${key}\n`,
      },
    );
    expect(made.state).toBe('ACTIVE');
    expect(await own.json(['connections'])).toMatchObject([
      { id: made.id, via: 'api', scopes: null, needs: null, state: 'ACTIVE' },
    ]);
    const gone = await own.json(['disconnect', made.id, '--yes']);
    expect(gone).toMatchObject({
      disconnected: true,
      revoked: false,
      why: expect.stringContaining('stay valid at Zillow'),
    });
  } finally {
    await own.remove();
    await hosts.close();
  }
});

test('a mailbox without a password is refused by its flag, as JSON too, and no server is asked', async () => {
  const environment = { DRAWBRIDGE_PROVIDERS_OFF: '' };
  const args = ['connect', 'mailbox', '--email', 'you@gmail.com'];
  const plain = await program.run(args, { environment });
  expect(plain.code).toBe(2);
  expect(plain.stderr).toContain('--password-stdin: App password is missing');
  const asJson = await program.run([...args, '--json'], { environment });
  expect(asJson.code).toBe(2);
  expect(JSON.parse(asJson.stdout === '' ? asJson.stderr : asJson.stdout)).toMatchObject({
    error: { message: expect.stringContaining('--password-stdin: App password is missing') },
  });
});
