// Which calls carry the credential, seen at the wire: keys and passwords. Bearers are in tokens.test.ts.
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { attaching } from '../../src/connections/attach.ts';
import type { Auth } from '../../src/providers/auth.ts';
import type { Http } from '../../src/providers/http.ts';
import { Secret } from '../../src/secret.ts';
import { caller, door } from '../egress/wire.ts';

const secrets = new Map([
  ['key', new Secret('the-key')],
  ['user', new Secret('maria')],
  ['password', new Secret('pass:word')],
]);

async function open(auth: Auth, http: Http = { baseUrl: 'https://api.example/v1' }) {
  const hosts = await startProviderHosts([
    {
      provider: 'example',
      hosts: ['api.example', 'upload.example', 'shop-1.example', 'elsewhere.example'],
      handle: ({ path }) =>
        path === '/moved' ? { status: 302, headers: { location: '/landed' } } : { status: 200, body: '{}' },
    },
  ]);
  onTestFinished(() => hosts.close());
  const { egress } = door({ sandboxUrl: hosts.url });
  const fetch = attaching(egress.fetchFor(caller), {
    provider: { auth, http },
    fields: { shop: 'shop-1', account: 'maria@example.com' },
    secret: (name) => secrets.get(name) ?? new Secret(''),
    bearer: {
      fresh: async () => {
        throw new Error('there is no bearer here');
      },
    },
  });
  return {
    async sent(input: string | Request, init?: RequestInit) {
      const before = hosts.calls().length;
      await fetch(input, init);
      const calls = hosts.calls().slice(before);
      return calls.map(({ headers, query, host, path, body, method }) => ({
        headers,
        query: query.toString(),
        host,
        path,
        body,
        method,
      }));
    },
  };
}

const header: Auth = { kind: 'api-key', secret: 'key', place: { header: 'X-Api-Key' } };
const query: Auth = { kind: 'api-key', secret: 'key', place: { query: 'apikey' } };

describe('a key', () => {
  test('stands in its header, with its prefix, beside the headers of the call', async () => {
    const { sent } = await open({
      kind: 'api-key',
      secret: 'key',
      place: { header: 'authorization', prefix: 'Token ' },
    });
    const [call] = await sent('https://api.example/v1/a', { headers: { accept: 'text/plain' } });
    expect(call?.headers).toMatchObject({ authorization: 'Token the-key', accept: 'text/plain' });
  });

  test('stands in the query, and nothing else of the call changes', async () => {
    const { sent } = await open(query);
    const [call] = await sent('https://api.example/v1/a?page=2', { method: 'POST', body: 'x' });
    expect(call).toMatchObject({ method: 'POST', query: 'page=2&apikey=the-key', body: 'x' });
    const [other] = await sent(new Request('https://api.example/v1/a', { method: 'POST', body: 'y' }));
    expect(other).toMatchObject({ method: 'POST', query: 'apikey=the-key', body: 'y' });
  });

  test('a value that the caller put in its place is overwritten, not joined', async () => {
    const [byHeader] = await (await open(header)).sent('https://api.example/v1/a', {
      headers: { 'x-api-key': 'another' },
    });
    expect(byHeader?.headers['x-api-key']).toBe('the-key');
    const [byQuery] = await (await open(query)).sent('https://api.example/v1/a?apikey=another');
    expect(byQuery?.query).toBe('apikey=the-key');
  });
});

test.each<[string, Auth, string]>([
  [
    'a field',
    { kind: 'basic', user: { field: 'account' }, password: { secret: 'password' } },
    'maria@example.com:pass:word',
  ],
  [
    'a secret',
    { kind: 'basic', user: { secret: 'user' }, password: { secret: 'password' } },
    'maria:pass:word',
  ],
])('a password goes with the user of %s', async (_, auth, pair) => {
  const [call] = await (await open(auth)).sent('https://api.example/v1/a');
  expect(call?.headers['authorization']).toBe(`Basic ${Buffer.from(pair).toString('base64')}`);
});

describe('the hosts', () => {
  test('that are declared get it: the base, with its field filled in, and those named beside it', async () => {
    const { sent } = await open(header, {
      baseUrl: 'https://{shop}.example/admin',
      hosts: ['upload.example'],
    });
    for (const host of ['shop-1.example', 'upload.example']) {
      const [call] = await sent(`https://${host}/a`);
      expect(call?.headers['x-api-key']).toBe('the-key');
    }
    const [other] = await sent('https://api.example/a');
    expect(other?.headers['x-api-key']).toBeUndefined();
  });

  test.each([
    'https://elsewhere.example/api.example',
    'https://elsewhere.example/?https://api.example/',
    'https://api.example:8443/v1/a',
    'https://elsewhere.example\\@api.example/',
  ])('%s gets nothing', async (url) => {
    for (const auth of [header, query]) {
      const calls = await (await open(auth)).sent(url);
      expect(calls).toHaveLength(1);
      expect(calls[0]?.headers['x-api-key']).toBeUndefined();
      expect(calls[0]?.query).not.toContain('the-key');
    }
  });

  test('the same host in clear gets nothing', async () => {
    const sentInClear: unknown[] = [];
    const fetch = attaching(
      async (_input, init) => {
        sentInClear.push(new Headers(init?.headers).get('x-api-key'));
        return new Response('{}');
      },
      {
        provider: { auth: header, http: { baseUrl: 'https://api.example' } },
        fields: {},
        secret: () => new Secret('the-key'),
        bearer: { fresh: async () => new Secret('none') },
      },
    );
    await fetch('http://api.example/v1/a');
    expect(sentInClear).toEqual([null]);
  });

  test('a protocol that uses its credentials by itself is left alone', async () => {
    const [call] = await (await open({ kind: 'password' })).sent('https://api.example/v1/a');
    expect(call?.headers['authorization']).toBeUndefined();
  });
});

describe('a bearer in a header of the provider’s own', () => {
  const shop: Auth = {
    kind: 'oauth2',
    app: 'shop',
    authorizeUrl: 'https://api.example/authorize',
    tokenUrl: 'https://api.example/token',
    pkce: 'not-supported',
    clientAuthentication: 'body',
    scopes: [],
    bearerHeader: 'x-shop-token',
    accessToken: { readFrom: 'answer' },
    refreshToken: { rotation: 'always', lifetime: { readFrom: 'answer' } },
    registration: [],
  };

  test('stands there and nowhere else, goes to the declared host alone, and is renewed there, too', async () => {
    const sent: [string, string | null, string | null][] = [];
    const fetch = attaching(
      async (input, init) => {
        const headers = new Headers(init?.headers);
        sent.push([String(input), headers.get('x-shop-token'), headers.get('authorization')]);
        return new Response('{}', { status: headers.get('x-shop-token') === 'old' ? 401 : 200 });
      },
      {
        provider: { auth: shop, http: { baseUrl: 'https://api.example' } },
        fields: {},
        secret: () => new Secret(''),
        bearer: { fresh: async () => new Secret('old'), instead: async () => new Secret('new') },
      },
    );
    expect((await fetch('https://api.example/a')).status).toBe(200);
    await fetch('https://files.example/a');
    expect(sent).toEqual([
      ['https://api.example/a', 'old', null],
      ['https://api.example/a', 'new', null],
      ['https://files.example/a', null, null],
    ]);
  });
});
