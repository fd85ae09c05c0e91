import { expect, test } from 'vitest';
import { door, serve } from './wire.ts';

function redirectTo(location: string, status = 302) {
  return serve((_request, response) => response.writeHead(status, { location }).end());
}

test.each([
  'https://169.254.169.254/latest/meta-data/',
  'https://10.0.0.1/',
  'https://[::ffff:127.0.0.1]/',
  'http://[::ffff:127.0.0.1]/',
  'https://2130706433.example.invalid/',
  'http://example.com/',
  'file:///etc/passwd',
])('a redirect to %s is judged like a first call', async (location) => {
  const server = await redirectTo(location);
  const resolve = async () => [{ address: '10.9.9.9', family: 4 as const }];
  await expect(door({ resolve }).fetch(server.url)).rejects.toMatchObject({ code: 'permission_denied' });
  expect(server.seen).toHaveLength(1);
});

test('a server elsewhere cannot send a call to this machine, though the flag admits loopback', async () => {
  const inner = await serve((_request, response) => response.end('secret of this machine'));
  const outer = await redirectTo(inner.url);
  const resolve = async () => [{ address: '127.0.0.1', family: 4 as const }];
  const { fetch } = door({ resolve });
  // Its name says nothing of loopback: to the door it is a server elsewhere.
  await expect(fetch(`http://outside.test:${outer.port}/`)).rejects.toMatchObject({
    code: 'permission_denied',
  });
  expect(inner.seen).toEqual([]);
});

test('credentials under any name stay with the origin they were meant for', async () => {
  const other = await serve((_request, response) => response.end('ok'));
  const first = await redirectTo(`${other.url}/elsewhere`);
  await door().fetch(first.url, {
    headers: {
      authorization: 'Bearer one',
      cookie: 'session=two',
      'X-RapidAPI-Key': 'three',
      'x-some-token': 'four',
      accept: 'application/json',
      depth: '1',
    },
  });
  const sent = other.seen[0]?.headers ?? {};
  expect(JSON.stringify(sent)).not.toMatch(/one|two|three|four/);
  expect(sent).toMatchObject({ accept: 'application/json', depth: '1' });
});

test('credentials go along within one origin', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/from') response.writeHead(302, { location: '/to' }).end();
    else response.end('ok');
  });
  const answer = await door().fetch(`${server.url}/from`, { headers: { authorization: 'Bearer one' } });
  expect(answer.url).toBe(`${server.url}/to`);
  expect(server.seen[1]?.headers.authorization).toBe('Bearer one');
});

test.each([
  [301, 'POST', 'GET'],
  [302, 'POST', 'GET'],
  [303, 'PUT', 'GET'],
  [303, 'HEAD', 'HEAD'],
  [302, 'PROPFIND', 'PROPFIND'],
  [307, 'POST', 'POST'],
  [308, 'PUT', 'PUT'],
])('after %i a %s goes on as %s', async (status, method, next) => {
  const server = await serve((request, response) => {
    if (request.url === '/from') response.writeHead(status, { location: '/to' }).end();
    else response.end();
  });
  const body = method === 'HEAD' ? null : 'a=1';
  await door().fetch(`${server.url}/from`, { method, body, headers: { 'content-type': 'text/plain' } });
  const arrived = server.seen[1];
  expect(arrived?.method).toBe(next);
  expect(arrived?.body).toBe(next === method && body !== null ? 'a=1' : '');
  if (next === 'GET') expect(arrived?.headers['content-type']).toBeUndefined();
});

test('a write that another origin is named for is not followed', async () => {
  const other = await serve((_request, response) => response.end());
  const first = await redirectTo(other.url, 307);
  await expect(door().fetch(first.url, { method: 'POST', body: 'mail' })).rejects.toMatchObject({
    code: 'permission_denied',
  });
  expect(other.seen).toEqual([]);
});

test('five redirects are followed, a sixth is not', async () => {
  const server = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  });
  expect(await (await door().fetch(`${server.url}/5`)).text()).toBe('there');
  await expect(door().fetch(`${server.url}/6`)).rejects.toMatchObject({ code: 'network', retry: 'never' });
  expect(server.seen).toHaveLength(12);
});

test.each(['https://user:pass@example.com/', 'https://', 'http://['])(
  'a redirect to %s is no address',
  async (location) => {
    const server = await redirectTo(location);
    await expect(door().fetch(server.url)).rejects.toMatchObject({ code: 'malformed_response' });
  },
);

test('a caller may take the redirect itself, or forbid it', async () => {
  const server = await redirectTo('/x');
  expect((await door().fetch(server.url, { redirect: 'manual' })).headers.get('location')).toBe('/x');
  await expect(door().fetch(server.url, { redirect: 'error' })).rejects.toMatchObject({ code: 'network' });
});
