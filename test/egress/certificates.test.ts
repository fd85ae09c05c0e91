import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listen } from './wire.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** What a process of its own, with `env` beside the essentials, gets from a server with our own authority. */
async function ask(host: string, env: Record<string, string>): Promise<string> {
  const server = createServer(
    { key: readFileSync(fixture('server.key')), cert: readFileSync(fixture('server.crt')) },
    (_request, response) => response.end('over TLS'),
  );
  const port = await listen(server);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fixture('fetch-once.ts'), `https://${host}:${port}/`],
    { env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: 15_000 },
  );
  return stdout;
}

test('an authority named in NODE_EXTRA_CA_CERTS is honoured', async () => {
  expect(await ask('own.test', { NODE_EXTRA_CA_CERTS: fixture('server.crt') })).toBe('over TLS');
});

test('a certificate that nobody vouches for is refused, once, and the message names the mend', async () => {
  expect(await ask('own.test', {})).toMatch(/^network never .*own\.test.*NODE_EXTRA_CA_CERTS/);
});

test('a certificate for another name is refused', async () => {
  expect(await ask('other.test', { NODE_EXTRA_CA_CERTS: fixture('server.crt') })).toMatch(/^network never /);
});

test('the environment cannot switch certificate checks off', async () => {
  expect(await ask('own.test', { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toMatch(/^network never /);
});
