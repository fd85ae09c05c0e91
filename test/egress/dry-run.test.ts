// A dry run shows what would leave, without credentials, and nothing leaves.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { caller, door, serve } from './wire.ts';

test('the first call is shown as it would be sent, and nothing leaves', async () => {
  const sandbox = await serve((_request, response) => response.end());
  const { egress, fetch } = door({ sandboxUrl: sandbox.url });
  const token = new Secret('not-a-known-shape-of-token');
  const seen = await egress.dryRun(async () => {
    await fetch('https://api.example.com/v1/mail?to=a%40b.example&access_token=q1w2e3&key=hidden', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        'x-api-key': 'k1',
        'x-goog-user-project': 'p',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ subject: 'Hello', note: token.reveal() }),
    });
    await fetch('https://api.example.com/second');
  });
  expect(seen).toEqual({
    method: 'POST',
    host: 'api.example.com',
    path: '/v1/mail?to=a%40b.example&access_token=%5Bsecret%5D&key=%5Bsecret%5D',
    headers: {
      authorization: '[secret]',
      'x-api-key': '[secret]',
      'x-goog-user-project': 'p',
      'content-type': 'application/json',
      'user-agent': 'drawbridge',
    },
    body: '{"subject":"Hello","note":"[secret]"}',
  });
  expect(sandbox.seen).toEqual([]);
  expect(egress.metrics()).toEqual([]);
});

test('a form’s credentials are masked, and bytes are counted', async () => {
  const { egress, fetch } = door();
  const form = await egress.dryRun(() =>
    fetch('https://auth.example.com/token', {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'c', client_secret: 's' }),
    }),
  );
  expect(form?.body).toBe('grant_type=authorization_code&code=%5Bsecret%5D&client_secret=%5Bsecret%5D');
  const bytes = await egress.dryRun(() =>
    fetch('https://api.example.com/', { method: 'PUT', body: new Uint8Array([255, 254, 0]) }),
  );
  expect(bytes?.body).toBe('3 bytes');
});

test('a client that takes no fetch is stopped too, and so is a socket', async () => {
  const sandbox = await serve((_request, response) => response.end());
  const { egress } = door({ sandboxUrl: sandbox.url });
  const seen = await egress.dryRun(() =>
    egress.within(caller, () => globalThis.fetch('https://api.example.com/x', { method: 'DELETE' })),
  );
  expect(seen).toMatchObject({ method: 'DELETE', host: 'api.example.com', path: '/x' });
  const dialled = await egress.dryRun(async () => {
    const { address, port } = await egress.dial(caller, '127.0.0.1', sandbox.port);
    connect(port, address);
  });
  expect(dialled).toMatchObject({ method: 'CONNECT', host: `127.0.0.1:${sandbox.port}` });
  expect(await egress.dryRun(() => egress.converse(caller, async () => 'talk'))).toMatchObject({
    host: 'zillow',
  });
  expect(sandbox.seen).toEqual([]);
});

test('work that calls nobody shows nothing, and work that fails before any call says why', async () => {
  const { egress } = door();
  expect(await egress.dryRun(async () => 'done')).toBeUndefined();
  await expect(egress.dryRun(() => Promise.reject(new Error('no such field')))).rejects.toThrow(
    'no such field',
  );
});

test('a call outside of the dry run goes on beside it', async () => {
  const server = await serve((_request, response) => response.end('real'));
  const { egress, fetch } = door();
  const [, answer] = await Promise.all([
    egress.dryRun(() => fetch(`${server.url}/dry`)),
    fetch(`${server.url}/real`),
  ]);
  expect(await answer.text()).toBe('real');
  expect(server.seen.map(({ url }) => url)).toEqual(['/real']);
});
