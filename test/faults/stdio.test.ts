// What a stdio server does with input that no proper client sends, and when its client goes away.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { tools } from '../../src/tools/surface.ts';
import { startStdio } from '../protocol/stdio-process.ts';

const homes: string[] = [];
function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'drawbridge-stdio-'));
  homes.push(home);
  return home;
}
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

const method = fc.oneof(
  fc.constantFrom(
    'initialize',
    'tools/list',
    'tools/call',
    'resources/read',
    'resources/list',
    'completion/complete',
    'ping',
    'x',
    '',
  ),
  fc.string(),
);
/** Requests that are nearly right, and lines that are not JSON at all. */
const badLine = fc.oneof(
  fc.string().map((text) => text.replaceAll('\n', ' ')),
  fc.json().map((text) => text.replaceAll('\n', ' ')),
  fc
    .record(
      {
        jsonrpc: fc.constantFrom('2.0', '1.0', 2, null),
        id: fc.oneof(fc.integer({ max: 999_999 }), fc.string(), fc.constant(null), fc.double()),
        method: fc.oneof(method, fc.integer()),
        params: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc
    .record({
      jsonrpc: fc.constant('2.0'),
      id: fc.integer({ max: 999_999 }),
      method,
      params: fc.dictionary(
        fc.constantFrom('name', 'arguments', 'uri', '_meta', 'cursor', '__proto__'),
        fc.jsonValue(),
      ),
    })
    .map((value) => JSON.stringify(value)),
);

test('ten thousand malformed messages leave every output line valid JSON-RPC, no stack on it, and the server answering', async () => {
  const server = startStdio(newHome(), { DRAWBRIDGE_LOG_LEVEL: 'silent' });
  await server.initialize();
  const lines = fc.sample(badLine, { numRuns: 10_000, seed: 20_261_121 });
  for (let start = 0; start < lines.length; start += 500)
    await server.write(`${lines.slice(start, start + 500).join('\n')}\n`);
  const answer = await server.request('tools/list');
  expect(answer.result?.['tools']).toHaveLength(tools.length);
  for (const line of server.lines) {
    expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(line).not.toMatch(/\\n\s+at |node_modules|\.ts:\d/);
  }
  expect(await server.end()).toBe(0);
});

test('a message of more than ten megabytes ends the connection, and nothing of it is answered', async () => {
  const server = startStdio(newHome());
  await server.initialize();
  const before = server.lines.length;
  await server.write(
    `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"search","arguments":{"question":"${'x'.repeat(11_000_000)}"}}}\n`,
  );
  server.child.stdin?.end();
  expect(await server.exited).toBe(0);
  expect(server.lines.slice(before).every((line) => !line.includes('"result"'))).toBe(true);
});

test('a large message below the limit is answered as bad input', async () => {
  const server = startStdio(newHome());
  await server.initialize();
  const answer = await server.request('tools/call', {
    name: 'search',
    arguments: { question: 'x'.repeat(5_000_000) },
  });
  expect(answer.result?.['isError']).toBe(true);
  expect(JSON.stringify(answer)).toContain('question');
  expect(JSON.stringify(answer).length).toBeLessThan(2_000);
  expect(await server.end()).toBe(0);
});

test('the process ends when stdin closes, with its timers, before and after the rooms were opened', async () => {
  const early = startStdio(newHome());
  await early.initialize();
  expect(await early.end()).toBe(0);
  const late = startStdio(newHome());
  await late.initialize();
  const answer = await late.request('tools/call', { name: 'list-connections', arguments: {} });
  expect(answer.result?.['isError']).toBeUndefined();
  expect(await late.end()).toBe(0);
});

test('three processes that start at once on an empty home make one org and both answer', async () => {
  const home = newHome();
  const servers = [startStdio(home), startStdio(home), startStdio(home)];
  await Promise.all(servers.map((server) => server.initialize()));
  const answers = await Promise.all(
    servers.map((server) => server.request('tools/call', { name: 'list-connections', arguments: {} })),
  );
  for (const [index, answer] of answers.entries())
    expect(answer.result?.['isError'], servers[index]?.said()).toBeUndefined();
  expect(readdirSync(join(home, 'orgs')).filter((name) => name.endsWith('.db'))).toHaveLength(1);
  expect(await Promise.all(servers.map((server) => server.end()))).toEqual([0, 0, 0]);
});

test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
  'a client of %s is answered in its own revision',
  async (revision) => {
    const server = startStdio(newHome());
    const hello = await server.initialize(revision);
    expect(hello.result?.['protocolVersion']).toBe(revision);
    expect((await server.request('tools/list')).result?.['tools']).toHaveLength(tools.length);
    expect(await server.end()).toBe(0);
  },
);
