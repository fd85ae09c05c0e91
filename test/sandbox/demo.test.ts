// `npm run demo` as it is typed: the walk ends with 0, a start that cannot be made ends with 1 and names
// itself, and the one that stays up takes a client by the configuration that it prints, and leaves nothing.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeEach, expect, test } from 'vitest';

const program = new URL('../../scripts/demo.ts', import.meta.url).pathname;
const running = new Set<ChildProcess>();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

function start(args: string[], temporary = folder) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
  });
  running.add(child);
  let text = '';
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      for (const listener of heard) listener();
    });
  }
  // Closed, and not only ended: until then a part of what it said may still be in the pipes.
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    text: () => text,
    ended,
    says: (words: string) =>
      new Promise<void>((resolve, refuse) => {
        const look = () => {
          if (text.includes(words)) resolve();
        };
        heard.add(look);
        look();
        void ended.then((code) => refuse(new Error(`ended with ${code} without "${words}": ${text}`)));
      }),
  };
}

test('the walk by itself does everything, ends with 0 and leaves no file', async () => {
  const demo = start(['--once']);
  const code = await demo.ended;
  expect(demo.text()).toContain('21/21');
  expect(demo.text()).toContain('Done: read, cited, proposed, approved, sent and booked.');
  expect(code).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test('what cannot start ends with 1 and names the step', async () => {
  const demo = start(['--once'], join(folder, 'not', 'there'));
  expect(await demo.ended).toBe(1);
  expect(demo.text()).toContain('✗ Step 0, "The sandbox and Drawbridge start"');
});

test('the one that stays up serves the client whose configuration it prints, until it is told to stop', async () => {
  const demo = start([]);
  await demo.says('leaves nothing');
  const text = demo.text();
  expect(text).toMatch(/signed in by http:\/\/\S+\/sign-in\?token=\S+/);
  const printed = text.slice(text.indexOf('A client over stdio'), text.indexOf('A client over HTTP'));
  const { mcpServers } = JSON.parse(printed.slice(printed.indexOf('{'))) as {
    mcpServers: { drawbridge: { command: string; args: string[]; env: Record<string, string> } };
  };
  const { command, args, env } = mcpServers.drawbridge;
  const client = new Client({ name: 'pasted', version: '1' });
  await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }));
  const { structuredContent } = await client.callTool({
    name: 'ime-search',
    arguments: { question: 'no stairs', clients: ['Elena Vasquez'] },
  });
  expect(JSON.stringify(structuredContent)).toContain('stairs');
  await client.close();
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(0);
  expect(existsSync(env['DRAWBRIDGE_HOME'] ?? '')).toBe(false);
});

test('a walk that is interrupted while it reads leaves no file', async () => {
  const demo = start(['--once']);
  await demo.says('with a sandbox of mail');
  demo.child.kill('SIGINT');
  expect(await demo.ended).toBe(130);
  expect(await readdir(folder)).toEqual([]);
});
