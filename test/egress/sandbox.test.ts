// The sandbox in place of the world: true addresses above, one port on loopback below.
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { door, serve } from './wire.ts';

test('a call for a host goes to the sandbox, to a path that begins with the host, and says the true address', async () => {
  const sandbox = await serve((_request, response) => response.end('here'));
  const { fetch } = door({ sandboxUrl: sandbox.url });
  const answer = await fetch('https://api.example.com/v1/things?q=a%20b', { method: 'POST', body: 'x' });
  expect([answer.url, await answer.text()]).toEqual(['https://api.example.com/v1/things?q=a%20b', 'here']);
  expect(sandbox.seen).toMatchObject([
    { method: 'POST', url: '/api.example.com/v1/things?q=a%20b', body: 'x' },
  ]);
});

test('a redirect is followed by its true address, and credentials stay with the host they were meant for', async () => {
  const sandbox = await serve((request, response) => {
    if (request.url?.startsWith('/api.example.com/a')) response.writeHead(302, { location: '/b' }).end();
    else if (request.url === '/api.example.com/b') {
      response.writeHead(302, { location: 'https://files.example.net/c' }).end();
    } else response.end('there');
  });
  const answer = await door({ sandboxUrl: sandbox.url }).fetch('https://api.example.com/a', {
    headers: { authorization: 'Bearer t' },
  });
  expect([answer.url, await answer.text()]).toEqual(['https://files.example.net/c', 'there']);
  expect(sandbox.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/api.example.com/a', 'Bearer t'],
    ['/api.example.com/b', 'Bearer t'],
    ['/files.example.net/c', undefined],
  ]);
});

test('the rules on addresses hold above the sandbox as they do without it', async () => {
  const sandbox = await serve((_request, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  );
  const { fetch } = door({ sandboxUrl: sandbox.url });
  for (const address of ['https://10.0.0.1/', 'https://169.254.169.254/latest', 'https://[fd00::1]/']) {
    await expect(fetch(address)).rejects.toMatchObject({ code: 'permission_denied' });
  }
  expect(sandbox.seen).toEqual([]);
  await expect(fetch('https://api.example.com/')).rejects.toMatchObject({ code: 'permission_denied' });
});

test('nothing goes to a sandbox without the flag, and with it the log says so', () => {
  expect(() => door({ allowLoopback: false, sandboxUrl: 'http://127.0.0.1:1' })).toThrow(/ALLOW_LOOPBACK/);
  const lines: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  door({ sandboxUrl: 'http://127.0.0.1:1', log });
  expect(lines.join('')).toContain('nothing here is real');
});
