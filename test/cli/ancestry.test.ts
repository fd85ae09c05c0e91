// The hindrance against an agent that approves its own proposals, on real process trees.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  agentAbove,
  type FindProcess,
  type ProcessEntry,
  refuseBelowAgent,
} from '../../src/auth/ancestry.ts';

let folder: string;
let started: ChildProcess[];

// A server tells its pid and stays; a client starts a server and then the command in its arguments; the
// check says which process makes it refuse.
const scripts: Record<string, string> = {
  'server.mjs': `console.log('server ' + process.pid); setInterval(() => {}, 1000); if (process.argv[2] !== 'alone') process.stdin.on('end', () => process.exit()).resume();`,
  'check.mjs': `const { agentAbove, systemProcesses } = await import(${JSON.stringify(new URL('../../src/auth/ancestry.ts', import.meta.url).href)});
    const found = await agentAbove(process.pid, process.argv.slice(2).map(Number), systemProcesses(process.platform));
    console.log('found ' + (found === undefined ? 'none' : found.pid));`,
  'client.mjs': `import { spawn } from 'node:child_process';
    const [serverCommand, thenCommand] = process.argv.slice(2);
    const server = spawn('/bin/sh', ['-c', serverCommand], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    server.stdout.setEncoding('utf8').on('data', (text) => {
      if (said.endsWith('\\n')) return;
      said += text;
      const pid = /server (\\d+)\\n/.exec(said)?.[1];
      if (pid === undefined) return;
      console.log('client ' + process.pid + ' server ' + pid);
      if (thenCommand === undefined) return;
      const env = { ...process.env, SERVER: pid };
      const then = spawn('/bin/sh', ['-c', thenCommand], { env, stdio: ['ignore', 'inherit', 'inherit'] });
      then.once('close', () => process.exit());
    });
    process.stdin.on('end', () => process.exit()).resume();`,
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-ancestry-'));
  started = [];
  for (const [name, text] of Object.entries(scripts)) await writeFile(join(folder, name), text);
});

afterEach(async () => {
  for (const child of started) {
    child.stdin?.end();
    child.kill('SIGKILL');
  }
  await rm(folder, { recursive: true });
});

const node = process.execPath;
const script = (name: string) => `'${node}' '${join(folder, name)}'`;

/** Starts a process; resolves with its whole lines so far when those match. */
function until(child: ChildProcess, shape: RegExp): Promise<RegExpExecArray> {
  started.push(child);
  let output = '';
  let trouble = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    trouble += text;
  });
  return new Promise((resolve, refuse) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = shape.exec(output.slice(0, output.lastIndexOf('\n') + 1));
      if (match !== null) resolve(match);
    });
    child.once('close', () => refuse(new Error(`ended with: ${output}${trouble}`)));
  });
}

const client = (...commands: string[]) => spawn(node, [join(folder, 'client.mjs'), ...commands]);

test('what an agent starts in its shell is refused: its client also started a live stdio server', async () => {
  const [, pid, found] = await until(
    client(script('server.mjs'), `${script('check.mjs')} "$SERVER"; true`),
    /client (\d+)[\s\S]*found (\w+)/,
  );
  expect(found).toBe(pid);
});

test('a server that was started through a shell or a package runner counts as its client’s', async () => {
  const [, pid, found] = await until(
    client(`sh -c "${script('server.mjs')}; true"; true`, `${script('check.mjs')} "$SERVER"`),
    /client (\d+)[\s\S]*found (\w+)/,
  );
  expect(found).toBe(pid);
});

test('a person’s own terminal beside the client is not refused', async () => {
  const [, server] = await until(client(script('server.mjs')), /server (\d+)/);
  const terminal = spawn('/bin/sh', ['-c', `${script('check.mjs')} ${server}; true`]);
  const [, found] = await until(terminal, /found (\w+)/);
  expect(found).toBe('none');
});

test('a person who runs the server by hand may approve in the same shell', async () => {
  const shell = spawn('/bin/bash', [], { stdio: ['pipe', 'pipe', 'inherit'] });
  shell.stdin.write(`${script('server.mjs')} alone &\n`);
  const [, server] = await until(shell, /server (\d+)/);
  shell.stdin.write(`${script('check.mjs')} ${server}\n`);
  const [, found] = await until(shell, /found (\w+)/);
  process.kill(Number(server));
  expect(found).toBe('none');
});

test('without a live stdio server nobody is refused', async () => {
  await expect(
    agentAbove(process.pid, [], () => Promise.reject(new Error('not asked'))),
  ).resolves.toBeUndefined();
});

function table(entries: [pid: number, parent: number, ...command: string[]][]): FindProcess {
  const all = new Map<number, ProcessEntry>(
    entries.map(([pid, parent, ...command]) => [pid, { pid, parent, command }]),
  );
  return async (pid) => all.get(pid);
}

const desktop: Parameters<typeof table>[0] = [
  [1, 0, '/sbin/init'],
  [10, 1, '/usr/lib/systemd/systemd', '--user'],
  [20, 10, '/usr/bin/gnome-terminal-server'],
  [21, 20, '-zsh'],
  [30, 21, 'claude'],
  [31, 30, 'npm exec drawbridge-mcp stdio'],
  [32, 31, 'sh', '-c', 'drawbridge stdio'],
  [33, 32, 'node', '/x/drawbridge.mjs', 'stdio'],
  [40, 30, '/bin/bash', '-c', '-l', 'drawbridge actions approve act_1'],
  [41, 40, 'node', '/x/drawbridge.mjs', 'actions', 'approve'],
  [50, 20, '-zsh'],
  [51, 50, 'node', '/x/drawbridge.mjs', 'actions', 'approve'],
  [60, 10, 'node', '/x/drawbridge.mjs', 'stdio'],
  [70, 33, 'node', '/x/drawbridge.mjs', 'open'],
];

test.each([
  ['the agent’s shell', 41, [33], 30],
  ['another tab of the same terminal', 51, [33], undefined],
  ['a server that lost its client and hangs below the session manager', 51, [60], undefined],
  ['a process below the server itself', 70, [33], 33],
  ['the agent’s shell, the server found among several', 41, [60, 33], 30],
])('on a desktop: %s', async (_, self, servers, refusedBy) => {
  expect((await agentAbove(self, servers, table(desktop)))?.pid).toBe(refusedBy);
});

test('when the processes cannot be read while an agent is connected, it is refused', async () => {
  const find = () => Promise.reject(new Error('no ps here'));
  await expect(refuseBelowAgent('approve', [33], { self: 51, find })).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(refuseBelowAgent('approve', [33], { self: 41, find: table(desktop) })).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(
    refuseBelowAgent('approve', [33], { self: 51, find: table(desktop) }),
  ).resolves.toBeUndefined();
});
