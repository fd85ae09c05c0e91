// A client that leaves while an account is being asked: the server gives up the call, ends what hangs on it, and only
// then closes its store. Nothing finds it shut, and nobody waits for the account.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { newProgram, type Program } from '../cli/program.ts';
import { startStdio } from './stdio-process.ts';

let program: Program;
let sandbox: Sandbox;
let answered: () => void = () => undefined;

beforeAll(async () => {
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
  sandbox = await startSandbox();
  const { url, user, password } = sandbox.caldav;
  await program.json(['connect', 'caldav', '--url', url, '--user', user, '--password-stdin'], {
    input: `${password}\n`,
  });
});
afterAll(async () => {
  answered();
  await sandbox?.close();
  await program?.remove();
});

const calls = {
  'a tool that asks the account': {
    name: 'check-availability',
    arguments: { from: '2026-03-01T09:00', to: '2026-03-02T09:00', timeZone: 'Europe/Berlin' },
  },
  'a sync that an answer waits for': { name: 'search', arguments: { question: 'viewing', maxAge: 0 } },
};

test.for(Object.entries(calls))('ends without a word in the middle of %s', async ([, params]) => {
  const before = sandbox.caldav.requests().length;
  const until = new Promise<void>((resolve) => {
    answered = resolve;
  });
  sandbox.caldav.faults.failNext({ kind: 'hold', until }, '', 20);
  const server = startStdio(program.home, { DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
  await server.initialize();
  await server.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  await expect.poll(() => sandbox.caldav.requests().length).toBeGreaterThan(before);
  expect(await server.end()).toBe(0);
  expect(server.said()).toBe('');
  answered();
  sandbox.caldav.faults.clear();
  // That it was not waited for says nothing against the account.
  const { checks } = await program.json<{ checks: { part: string; state: string }[] }>(['doctor']);
  expect(checks.filter(({ part, state }) => part !== 'network' && state !== 'ok')).toEqual([]);
});
