// Zoho's family, by a small provider on it: the account's data centre comes with the way back, its API with the
// token, and the app's secret goes to no other server than those of Zoho.
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createAuthorizationServer } from '../../sandbox/authorization-server.ts';
import { consent } from '../../sandbox/person.ts';
import { type Call, startProviderHosts } from '../../sandbox/providers.ts';
import type { Clock } from '../../src/clock.ts';
import { newBrowserToken } from '../../src/connections/connect/state.ts';
import { defineProvider, readOperation } from '../../src/providers/define.ts';
import { refusalOf, send } from '../../src/providers/request.ts';
import { zohoAuth, zohoHttp, zohoLearned, zohoLimit, zohoNotes } from '../../src/providers/zoho.ts';
import { Secret } from '../../src/secret.ts';
import { entryOf } from './agency.ts';
import { newPerson } from './guild.ts';
import { openOffice } from './office.ts';

const app = { clientId: 'drawbridge-at-zoho', clientSecret: 'a-secret-of-the-zoho-app' };
const http = zohoHttp('/crm/v8');
const user = z.object({ users: z.array(z.object({ id: z.string(), email: z.string() })).min(1) });

const provider = defineProvider({
  id: 'zoho-small',
  title: 'Zoho Small',
  fields: z.object({}),
  learned: zohoLearned,
  secrets: [],
  auth: zohoAuth('Zoho CRM', ['ZohoCRM.users.READ', 'ZohoCRM.modules.READ']),
  http,
  async identity(context) {
    const { users } = await send(context, http, { method: 'GET', path: '/users', output: user });
    return { id: users[0]?.id ?? '', label: users[0]?.email ?? '' };
  },
  operations: {
    users: readOperation({
      effect: 'read',
      title: 'List users',
      input: z.object({}),
      run: (context) => send(context, http, { method: 'GET', path: '/users', output: user }),
    }),
  },
  capabilities: {},
  feeds: {},
  limit: zohoLimit,
  notes: zohoNotes,
});

const eu = { accounts: 'https://accounts.zoho.eu', api: 'https://www.zohoapis.eu' };

/** @param told what the way back and the token answer say of the data centre */
async function openZoho(told: { accounts?: string; api?: unknown } = eu) {
  let clock: Clock | undefined;
  const late = { now: () => (clock as Clock).now(), elapsed: () => 0, sleep: async () => undefined };
  let ended = false;
  const server = createAuthorizationServer(
    {
      authorizePath: '/oauth/v2/auth',
      tokenPath: '/oauth/v2/token',
      revokePath: '/oauth/v2/token/revoke',
      app,
      pkce: 'optional',
      clientAuthentication: 'body',
      accessLivesS: 3600,
      rotation: 'never',
      callbackExtras: {
        location: 'eu',
        ...(told.accounts === undefined ? {} : { 'accounts-server': told.accounts }),
      },
      answerExtras: told.api === undefined ? {} : { api_domain: told.api },
    },
    late,
  );
  const api = ({ headers }: Call) =>
    server.scopesOf(headers['authorization']) === undefined
      ? { status: 401, body: '{"code":"INVALID_TOKEN","message":"invalid oauth token","status":"error"}' }
      : { status: 200, body: '{"users":[{"id":"4711","email":"maria@zoho.example"}]}' };
  const hosts = await startProviderHosts([
    {
      provider: 'zoho',
      hosts: [
        'accounts.zoho.com',
        'accounts.zoho.eu',
        'accounts.zoho.evil.example',
        'www.zohoapis.eu',
        'www.zohoapis.com',
        'evil.example',
      ],
      handle(call) {
        if (ended && call.path === '/oauth/v2/token') {
          // Zoho refuses with status 200.
          return {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: '{"error":"invalid_code"}',
          };
        }
        return server.handle(call) ?? api(call);
      },
    },
  ]);
  onTestFinished(() => hosts.close());
  const secret = new Secret(app.clientSecret);
  const office = await openOffice([{ ...entryOf(provider), app: 'zoho' }], {
    sandboxUrl: hosts.url,
    options: {
      apps: new Map([['zoho', { clientId: app.clientId, clientSecret: secret, webhookSecret: undefined }]]),
    },
  });
  clock = office.clock;
  const { connections, org, store } = office;
  const person = await newPerson(store, org, 'Maria');
  const browser = newBrowserToken();
  return {
    ...office,
    hosts,
    server,
    end: () => {
      ended = true;
    },
    async connect() {
      const { url } = await connections.authorize(org, person, {
        provider: provider.id,
        fields: {},
        access: 'read',
        via: 'api',
        redirectUri: 'http://localhost:7331/api/v1/integrations/zoho-small/callback',
        browser,
      });
      const callback = await consent(url, hosts.url);
      return connections.authorized(org, person, { provider: provider.id, callback, browser });
    },
    /** Hosts in the order in which they were asked for such a path. */
    askedAt: (path: string) =>
      hosts
        .calls()
        .filter((call) => call.path.endsWith(path))
        .map(({ host }) => host),
  };
}

describe('connecting', () => {
  test('begins at the first data centre, and goes on at the one that keeps the account: token, calls, renewal, revocation', async () => {
    const zoho = await openZoho();
    const { connections, org } = zoho;
    const connection = await zoho.connect();
    expect(connection).toMatchObject({ state: 'ACTIVE', account: '4711', label: 'maria@zoho.example' });
    expect(connection.fields).toMatchObject({ accounts: 'accounts.zoho.eu', api: 'www.zohoapis.eu' });
    const [begun] = zoho.hosts.calls();
    expect(begun?.host).toBe('accounts.zoho.com');
    expect(Object.fromEntries(begun?.query ?? [])).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      scope: 'ZohoCRM.users.READ,ZohoCRM.modules.READ',
    });
    zoho.server.expireAccess();
    await connections.runRead(org, connection, 'users', {});
    expect(zoho.server.tokenCalls().map(({ grant }) => grant)).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    await connections.disconnect(org, connection.id);
    expect(new Set(zoho.askedAt('/oauth/v2/token'))).toEqual(new Set(['accounts.zoho.eu']));
    expect(zoho.askedAt('/revoke')).toEqual(['accounts.zoho.eu']);
    expect(new Set(zoho.askedAt('/users'))).toEqual(new Set(['www.zohoapis.eu']));
  });

  test('an app of one data centre alone comes back without its name', async () => {
    const zoho = await openZoho({ api: 'https://www.zohoapis.com' });
    expect((await zoho.connect()).fields).toMatchObject({ accounts: 'accounts.zoho.com' });
  });

  test.each([
    'https://accounts.zoho.evil.example',
    'https://evil.example',
    'https://accounts.zoho.eu@evil.example',
    'https://accounts.zoho.eu:8443',
    'http://accounts.zoho.eu',
    'https://accounts.zoho.eu/evil',
    'accounts.zoho.eu',
    'constructor',
  ])(
    'a way back that names the sign-in %s connects nothing, and the secret goes nowhere',
    async (accounts) => {
      const zoho = await openZoho({ ...eu, accounts });
      await expect(zoho.connect()).rejects.toMatchObject({ code: 'permission_denied' });
      expect(zoho.askedAt('/token')).toEqual([]);
      expect(zoho.hosts.calls().every(({ body }) => !body.includes(app.clientSecret))).toBe(true);
      expect((await zoho.connections.list(zoho.org)).filter(({ state }) => state === 'ACTIVE')).toEqual([]);
    },
  );

  test.each(['https://evil.example', undefined, 'https://www.zohoapis.eu.evil.example'])(
    'a token answer that names the API %s connects nothing, and the bearer goes nowhere',
    async (api) => {
      const zoho = await openZoho({ accounts: eu.accounts, api });
      await expect(zoho.connect()).rejects.toMatchObject({ code: 'permission_denied' });
      expect(zoho.askedAt('/users')).toEqual([]);
    },
  );

  test('a grant that has ended is refused with status 200, and expires the account', async () => {
    const zoho = await openZoho();
    const connection = await zoho.connect();
    zoho.server.expireAccess();
    zoho.end();
    await expect(zoho.connections.check(zoho.org, connection.id)).rejects.toMatchObject({
      retry: 'reconnect',
    });
    expect((await zoho.connections.get(zoho.org, connection.id)).state).toBe('EXPIRED');
  });
});

describe('what Zoho refuses', () => {
  const refused = (status: number, body: unknown) =>
    refusalOf(http, { status, headers: new Headers({ 'retry-after': '9' }), body }, 'www.zohoapis.eu');
  test.each<[number, unknown, object | undefined]>([
    [200, { users: [] }, undefined],
    [200, { code: 'RECORD_NOT_FOUND', status: 'error' }, { code: 'not_found' }],
    [401, { code: 'INVALID_TOKEN', status: 'error' }, { code: 'auth_expired', retry: 'reconnect' }],
    [401, { code: 'OAUTH_SCOPE_MISMATCH' }, { code: 'permission_denied', retry: 'reconnect' }],
    [
      400,
      { status: { code: 400, description: 'no' }, data: { errorCode: 'INVALID_OAUTHSCOPE' } },
      { code: 'permission_denied' },
    ],
    [429, { code: 'INVALID_DATA' }, { code: 'rate_limited', retryAfterMs: 9000 }],
    [400, { code: 'DUPLICATE_DATA', message: 'there already' }, { code: 'conflict' }],
    [500, { code: 'INTERNAL_ERROR' }, { code: 'provider_unavailable' }],
    [403, '<html>', { code: 'permission_denied' }],
  ])('%i %j', (status, body, expected) => {
    const error = refused(status, body);
    if (expected === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject(expected);
  });
});
