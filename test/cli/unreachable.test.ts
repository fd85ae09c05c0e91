// A provider that cannot be reached: the command says so and fails. It never ends without a word, as if all
// were well, because the wait before a second try did not count as work.
import { spawn } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox } from '../../sandbox/start.ts';
import { newProgram, type Program } from './program.ts';

let program: Program;
let calendar: string;

beforeAll(async () => {
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
  const sandbox = await startSandbox({ empty: true });
  const { url, user, password } = sandbox.caldav;
  const made = await program.json<{ id: string }>(
    ['connect', 'caldav', '--url', url, '--user', user, '--password-stdin', '--no-sync'],
    { input: `${password}\n` },
  );
  calendar = made.id;
  await sandbox.close();
});
afterAll(() => program?.remove());

test('connect fails with a word when no server has that name', async () => {
  const both = await Promise.all([
    program.run(
      ['connect', 'caldav', '--url', 'https://nope.invalid/', '--user', 'ann', '--password-stdin'],
      {
        input: 'pw\n',
      },
    ),
    program.run(['connect', 'zillow', '--rapidapi-key-stdin', '--no-sync'], {
      input: 'pw\n',
      environment: { DRAWBRIDGE_ZILLOW_HOST: 'nope.invalid' },
    }),
  ]);
  for (const ended of both) {
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nope.invalid') });
  }
});

test('sync and doctor name the account whose server is gone, and fail', async () => {
  const [sync, doctor] = await Promise.all([program.run(['sync', calendar]), program.run(['doctor'])]);
  expect(sync).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be reached') });
  // The log is for who asks for one.
  expect(sync.stderr).not.toContain('"level"');
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toContain('could not be reached');
  expect(doctor.stdout).toContain('Something is broken.');
});

test('doctor tells as JSON what was called, and what failed, also by programs that have ended', async () => {
  const told = await program.json<{ calls: unknown[]; failures: unknown[] }>(['doctor'], { code: 1 });
  expect(told.calls).toContainEqual(expect.objectContaining({ provider: 'caldav', outcome: 'network' }));
  expect(told.failures).toContainEqual(expect.objectContaining({ provider: 'caldav', code: 'network' }));
  expect(JSON.stringify(told)).not.toContain('pw');
});

test('doctor says that the key is gone while credentials are kept that it opens', async () => {
  await rm(join(program.home, 'key'));
  const { checks } = await program.json<{ checks: { part: string; state: string }[] }>(['doctor'], {
    code: 1,
  });
  expect(checks).toContainEqual(
    expect.objectContaining({
      part: 'master key',
      state: 'broken',
      message: expect.stringContaining('is missing'),
      mend: expect.stringContaining('backup'),
    }),
  );
  await expect(stat(join(program.home, 'key'))).rejects.toThrow('ENOENT');
});

test('a command whose wait can never end does not look like one that succeeded', async () => {
  // Standing in for a room that waits for nothing: the same ending of the program, with such a room.
  const stuck = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => url.endsWith('/commands/stdio.ts')
      ? { format: 'module', shortCircuit: true, source: 'export const stdio = () => new Promise(() => {});' }
      : next(url, context) });`;
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(stuck)}`,
      new URL('../../src/cli.ts', import.meta.url).pathname,
      'stdio',
    ],
    { env: program.environment, stdio: 'ignore' },
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(13);
});
