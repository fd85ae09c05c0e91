// Which calls carry the credential, seen at the wire: keys and passwords. Bearers are in tokens.test.ts.
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { attaching } from '../../src/connections/operate/attach.ts';
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

test('goes to the other hosts alone while a part of the address is not known yet', async () => {
  const http = { baseUrl: 'https://{dc}.example/v1', hosts: ['upload.example'] };
  const { sent } = await open(header, http);
  const [asked] = await sent('https://upload.example/who');
  const [elsewhere] = await sent('https://shop-1.example/v1/who');
  expect(asked?.headers['x-api-key']).toBe('the-key');
  expect(elsewhere?.headers['x-api-key']).toBeUndefined();
});

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

describe('a bearer that a provider refuses in an answer of status 200', () => {
  const oauth: Auth = {
    kind: 'oauth2',
    app: 'example',
    authorizeUrl: 'https://api.example/authorize',
    tokenUrl: 'https://api.example/token',
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: [],
    accessToken: { readFrom: 'answer' },
    refreshToken: 'none',
    registration: [],
  };
  const http: Http = {
    baseUrl: 'https://api.example/v1',
    bearerEnded: (body) => (body as { error?: string }).error === 'token_expired',
  };

  function over(answer: (bearer: string | null) => Response, given = http) {
    const sent: string[] = [];
    const call = attaching(
      async (_, init) => {
        const headers = new Headers(init?.headers);
        sent.push(`${headers.get('authorization')} ${String(init?.body ?? '')}`.trim());
        return answer(headers.get('authorization'));
      },
      {
        provider: { auth: oauth, http: given },
        fields: {},
        secret: () => new Secret(''),
        bearer: { fresh: async () => new Secret('old'), instead: async () => new Secret('new') },
      },
    );
    return { sent, ask: () => call('https://api.example/v1/a', { method: 'POST', body: 'once' }) };
  }
  const told = (bearer: string | null) =>
    Response.json(bearer === 'Bearer old' ? { ok: false, error: 'token_expired' } : { ok: true });

  test('is renewed, and the call made again with its body', async () => {
    const { ask, sent } = over(told);
    expect(await (await ask()).json()).toEqual({ ok: true });
    expect(sent).toEqual(['Bearer old once', 'Bearer new once']);
  });

  test('other refusals renew nothing, and can be read', async () => {
    for (const body of ['{"ok":false,"error":"missing_scope"}', '{"half":', 'token_expired']) {
      const json = { headers: { 'content-type': 'application/json' } };
      const { ask, sent } = over(() => new Response(body, json));
      expect(await (await ask()).text()).toBe(body);
      expect(sent).toHaveLength(1);
    }
  });

  test('what is no JSON is not looked into, nor where a provider says nothing of it', async () => {
    const text = over(
      () => new Response('{"error":"token_expired"}', { headers: { 'content-type': 'text/plain' } }),
    );
    await text.ask();
    const other = over(told, { baseUrl: http.baseUrl });
    await other.ask();
    expect([text.sent.length, other.sent.length]).toEqual([1, 1]);
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
