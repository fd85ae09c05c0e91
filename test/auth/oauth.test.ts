// What leaves for a token endpoint, and what comes back from one, through the real door.
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthorizationServer } from '../../sandbox/authorization-server.ts';
import type { Answer } from '../../sandbox/http.ts';
import { consent } from '../../sandbox/person.ts';
import { type Call, startProviderHosts } from '../../sandbox/providers.ts';
import { createOAuth } from '../../src/auth/oauth/create.ts';
import type { Grant } from '../../src/auth/oauth/oauth.ts';
import type { OAuth2 } from '../../src/providers/auth.ts';
import { Secret } from '../../src/secret.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { caller, door } from '../egress/wire.ts';

const app = { clientId: 'client-1', clientSecret: new Secret('s3cret/with+signs') };
const redirectUri = 'http://localhost:7331/api/v1/integrations/example/callback';
const codeVerifier = new Secret('a'.repeat(64));

const declared: OAuth2 = {
  kind: 'oauth2',
  app: 'example',
  authorizeUrl: 'https://login.example/authorize',
  tokenUrl: 'https://login.example/token',
  pkce: 'S256',
  clientAuthentication: 'body',
  scopes: [],
  accessToken: { seconds: 3600 },
  refreshToken: { rotation: 'always', lifetime: 'endless' },
  registration: [],
};

const tokens = { access_token: 'at-1', token_type: 'Bearer', expires_in: 3600 };
const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** A token endpoint that answers as told, behind the real door. */
async function open(auth: Partial<OAuth2> = {}, answer: (call: Call) => Answer = () => json(tokens)) {
  const hosts = await startProviderHosts([
    { provider: 'example', hosts: ['login.example', 'shop-1.login.example'], handle: answer },
  ]);
  onTestFinished(() => hosts.close());
  const clock = manualClock();
  const { egress } = door({ clock, sandboxUrl: hosts.url });
  const fetch = egress.fetchFor(caller);
  const oauth = createOAuth({ clock });
  const grant: Grant = {
    auth: { ...declared, ...auth },
    app,
    fields: { shop: 'shop-1' },
    fetch: (input, init) => fetch(input, { ...init, once: true }),
    within: (work) => egress.within(caller, work),
  };
  const callback = new URL(`${redirectUri}?code=c0de&state=st`);
  return {
    hosts,
    oauth,
    grant,
    clock,
    exchange: (back = callback) => oauth.exchange(grant, { callback: back, redirectUri, codeVerifier }),
    refresh: () => oauth.refresh(grant, new Secret('rt-0')),
    revoke: () => oauth.revoke(grant, { access: new Secret('at-0'), refresh: new Secret('rt-0') }),
    url: (scopes: readonly string[] = ['a', 'b']) =>
      oauth.authorizationUrl({ ...grant, scopes, redirectUri, state: 'st', codeVerifier }),
    /** The one call that was made. */
    sent() {
      const calls = hosts.calls();
      expect(calls).toHaveLength(1);
      const call = calls[0] as Call;
      const type = call.headers['content-type'] ?? '';
      const body: Record<string, string> = type.startsWith('application/json')
        ? JSON.parse(call.body)
        : Object.fromEntries(new URLSearchParams(call.body));
      return { ...call, type, body };
    },
  };
}

describe('the authorization request', () => {
  test('asks for a code with PKCE S256, the scopes, the exact redirect and the state', async () => {
    const { url } = await open();
    const asked = await url();
    expect(asked.origin + asked.pathname).toBe('https://login.example/authorize');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: 'client-1',
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'a b',
      state: 'st',
      code_challenge: createHash('sha256').update(codeVerifier.reveal()).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(asked.href).not.toContain(codeVerifier.reveal());
  });

  test.each<[string, Partial<OAuth2>, Record<string, string | null>]>([
    ['a comma between scopes', { scopeSeparator: ',' }, { scope: 'a,b' }],
    ['no PKCE', { pkce: 'not-supported' }, { code_challenge: null, code_challenge_method: null }],
    ['another response type', { responseType: 'auth_code' }, { response_type: 'auth_code' }],
    ['a parameter that it does not take', { rename: { response_type: null } }, { response_type: null }],
    [
      'parameters of another name',
      { rename: { client_id: 'client_key', scope: 'user_scope' } },
      { client_key: 'client-1', client_id: null, user_scope: 'a b', scope: null },
    ],
    [
      'a parameter that a field names',
      { rename: { scope: '{shop}_scope' } },
      { 'shop-1_scope': 'a b', scope: null },
    ],
    [
      'parameters of its own',
      { authorizeParameters: { access_type: 'offline', prompt: 'consent' } },
      { access_type: 'offline', prompt: 'consent' },
    ],
  ])('%s is sent as declared', async (_, auth, expected) => {
    const asked = (await (await open(auth)).url()).searchParams;
    for (const [name, value] of Object.entries(expected)) expect(asked.get(name)).toBe(value);
  });

  test('no scopes are no parameter', async () => {
    expect((await (await open()).url([])).searchParams.has('scope')).toBe(false);
  });

  test('a field that is part of the host cannot lead elsewhere', async () => {
    const { url, oauth, grant } = await open({ authorizeUrl: 'https://{shop}.login.example/authorize' });
    expect((await url()).hostname).toBe('shop-1.login.example');
    const request = { ...grant, scopes: [], redirectUri, state: 'st', codeVerifier };
    await expect(
      oauth.authorizationUrl({ ...request, fields: { shop: 'evil.example/' } }),
    ).rejects.toMatchObject({ code: 'invalid_request', field: 'shop' });
  });
});

describe('the exchange', () => {
  test('sends code, redirect and verifier once, with the credentials in the body', async () => {
    const { exchange, sent } = await open();
    await exchange();
    const call = sent();
    expect(call).toMatchObject({ method: 'POST', host: 'login.example', path: '/token' });
    expect(call.type).toContain('application/x-www-form-urlencoded');
    expect(call.headers['accept']).toBe('application/json');
    expect(call.headers['authorization']).toBeUndefined();
    expect(call.body).toEqual({
      grant_type: 'authorization_code',
      code: 'c0de',
      redirect_uri: redirectUri,
      code_verifier: codeVerifier.reveal(),
      client_id: 'client-1',
      client_secret: 's3cret/with+signs',
    });
  });

  test('credentials by Basic are form-encoded, and not in the body', async () => {
    const { exchange, sent } = await open({ clientAuthentication: 'basic' });
    await exchange();
    const { headers, body } = sent();
    const pair = Buffer.from('client-1:s3cret%2Fwith%2Bsigns').toString('base64');
    expect(headers['authorization']).toBe(`Basic ${pair}`);
    expect(body).not.toHaveProperty('client_secret');
    expect(body).not.toHaveProperty('client_id');
  });

  test.each<[string, Partial<OAuth2>, Record<string, string | undefined>]>([
    ['no secret of a public client', { clientAuthentication: 'none' }, { client_secret: undefined }],
    ['no verifier without PKCE', { pkce: 'not-supported' }, { code_verifier: undefined }],
    ['no redirect where it is not taken', { rename: { redirect_uri: null } }, { redirect_uri: undefined }],
    ['the renamed client', { rename: { client_id: 'client_key' } }, { client_key: 'client-1' }],
    [
      'more parameters',
      { tokenParameters: { resource: 'https://x.example' } },
      { resource: 'https://x.example' },
    ],
  ])('%s', async (_, auth, expected) => {
    const { exchange, sent } = await open(auth);
    await exchange();
    const { body } = sent();
    for (const [name, value] of Object.entries(expected)) expect(body[name]).toBe(value);
    expect(body['code']).toBe('c0de');
  });

  test('JSON and headers as declared', async () => {
    const { exchange, sent } = await open({
      bodyKind: 'json',
      clientAuthentication: 'basic',
      tokenHeaders: { 'Notion-Version': '2026-03-11' },
    });
    await exchange();
    const { type, headers, body } = sent();
    expect(type).toBe('application/json');
    expect(headers['notion-version']).toBe('2026-03-11');
    expect(body).toMatchObject({ grant_type: 'authorization_code', code: 'c0de' });
  });

  test('the answer: tokens, lives, scopes, and the rest without anything secret', async () => {
    const { exchange } = await open({ answerNames: { refreshExpiresIn: 'x_refresh_token_expires_in' } }, () =>
      json({
        ...tokens,
        refresh_token: 'rt-1',
        scope: 'a,b c',
        x_refresh_token_expires_in: 8_640_000,
        id_token: 'not.a.token',
        team: { id: 'T1', bot_token: 'hidden' },
        client_secret: 'hidden',
      }),
    );
    const answer = await exchange();
    expect(answer.accessToken.reveal()).toBe('at-1');
    expect(answer.refreshToken?.reveal()).toBe('rt-1');
    expect(answer).toMatchObject({
      accessLivesMs: 3_600_000,
      refreshLivesMs: 8_640_000_000,
      scopes: ['a', 'b', 'c'],
      rest: { team: { id: 'T1' } },
    });
    expect(JSON.stringify(answer)).not.toMatch(/hidden|at-1|rt-1|not\.a\.token/);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no token type (Shopify)', { access_token: 'x' }, { accessLivesMs: undefined, scopes: undefined }],
    ['a null refresh token (Notion)', { ...tokens, refresh_token: null }, { refreshToken: undefined }],
    ['a life of zero (Mailchimp)', { ...tokens, expires_in: 0 }, { accessLivesMs: undefined }],
    ['a life as text', { ...tokens, expires_in: '60' }, { accessLivesMs: 60_000 }],
    ['scopes as a list', { ...tokens, scope: ['a', 'b'] }, { scopes: ['a', 'b'] }],
    ['a list of scopes (HubSpot)', { ...tokens, scopes: ['a', 'b'] }, { scopes: ['a', 'b'] }],
  ])('bears %s', async (_, body, expected) => {
    expect(await (await open({}, () => json(body))).exchange()).toMatchObject(expected);
  });

  test.each([
    ['error=access_denied&state=st', 'permission_denied'],
    ['error=server_error', 'provider_unavailable'],
    ['error=invalid_scope', 'invalid_request'],
    ['state=st', 'invalid_request'],
    ['code=a&code=b', 'invalid_request'],
    ['code=c0de&iss=https%3A%2F%2Fother.example', 'invalid_request'],
    // A mix-up is found before the other issuer's word is believed.
    ['error=access_denied&iss=https%3A%2F%2Fother.example', 'invalid_request'],
  ])('a way back with %s is %s, and no token is asked for', async (query, code) => {
    const { exchange, hosts } = await open({ issuer: 'https://login.example' });
    await expect(exchange(new URL(`${redirectUri}?${query}`))).rejects.toMatchObject({ code });
    expect(hosts.calls()).toHaveLength(0);
  });

  test('the declared issuer passes, and so does an answer that names none', async () => {
    const { exchange } = await open({ issuer: 'https://login.example' });
    await exchange(new URL(`${redirectUri}?code=c0de&iss=https%3A%2F%2Flogin.example`));
    await exchange();
  });

  test.each<[string, Answer, Record<string, unknown>]>([
    ['a spent code', json({ error: 'invalid_grant' }, 400), { code: 'auth_expired' }],
    ["HubSpot's words for it", json({ status: 'BAD_AUTH_CODE' }, 400), { code: 'auth_expired' }],
    ['a wrong secret', json({ error: 'invalid_client' }, 401), { code: 'invalid_request' }],
    [
      'a challenge beside it',
      json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic realm="x"' }),
      { code: 'invalid_request' },
    ],
    [
      'a refusal with status 200 (Slack)',
      json({ ok: false, error: 'invalid_code' }),
      { code: 'auth_expired' },
    ],
    [
      'too many',
      json({ error: 'slow_down' }, 429, { 'retry-after': '7' }),
      { code: 'rate_limited', retryAfterMs: 7000 },
    ],
    ['trouble', { status: 503, body: 'down' }, { code: 'provider_unavailable' }],
    ['a page', { status: 200, body: '<html>' }, { code: 'malformed_response' }],
    ['no access token', json({ token_type: 'bearer' }), { code: 'malformed_response' }],
    [
      'a redirect elsewhere',
      { status: 302, headers: { location: 'https://evil.example/token' } },
      { code: 'invalid_request' },
    ],
  ])('%s is told apart, after one call', async (_, answer, expected) => {
    const { exchange, sent } = await open({}, () => answer);
    await expect(exchange()).rejects.toMatchObject(expected);
    sent();
  });
});

describe('an answer with more than one token', () => {
  const both = {
    ok: true,
    access_token: 'of-the-app',
    scope: 'x',
    person: { access_token: 'of-the-person', refresh_token: 'rt', expires_in: 60, scope: 'a,b' },
  };
  const tokenIn: NonNullable<OAuth2['tokenIn']> = ({ person }, { shop }) =>
    shop === 'shop-1' ? (person as Record<string, unknown> | undefined) : undefined;

  test('gives the one of the part that is declared, with its own age and scopes', async () => {
    const { exchange } = await open({ tokenIn }, () => json(both));
    const { accessToken, refreshToken, accessLivesMs, scopes } = await exchange();
    expect([accessToken.reveal(), refreshToken?.reveal()]).toEqual(['of-the-person', 'rt']);
    expect([accessLivesMs, scopes]).toEqual([60_000, ['a', 'b']]);
  });

  test('without that part is no answer: the other token never takes its place', async () => {
    const { person: _person, ...other } = both;
    const { exchange, refresh } = await open({ tokenIn }, () => json(other));
    await expect(exchange()).rejects.toMatchObject({ code: 'malformed_response' });
    await expect(refresh()).rejects.toMatchObject({ code: 'malformed_response' });
  });
});

describe('the refresh', () => {
  test('goes to its own address, with the credentials', async () => {
    const { refresh, sent } = await open({ refreshUrl: 'https://{shop}.login.example/renew' });
    await refresh();
    expect(sent()).toMatchObject({
      host: 'shop-1.login.example',
      path: '/renew',
      body: {
        grant_type: 'refresh_token',
        refresh_token: 'rt-0',
        client_id: 'client-1',
        client_secret: 's3cret/with+signs',
      },
    });
  });

  test.each<[string, Answer, string]>([
    ['the end of the grant', json({ error: 'invalid_grant' }, 400), 'auth_revoked'],
    ["HubSpot's words for it", json({ status: 'BAD_REFRESH_TOKEN', message: 'x' }, 400), 'auth_revoked'],
    [
      'the same by its category',
      json({ status: 'error', category: 'BAD_REFRESH_TOKEN', message: 'x' }, 400),
      'auth_revoked',
    ],
    // Not the account's fault: it must not be asked to connect again.
    ['a wrong secret of the app', json({ error: 'invalid_client' }, 401), 'permission_denied'],
    ['another refusal', json({ error: 'invalid_request' }, 400), 'permission_denied'],
    ['trouble', { status: 502, body: 'bad gateway' }, 'provider_unavailable'],
  ])('%s is told apart, after one call', async (_, answer, code) => {
    const { refresh, sent } = await open({}, () => answer);
    await expect(refresh()).rejects.toMatchObject({ code });
    sent();
  });

  test('is asked once though the connection breaks', async () => {
    const { refresh, hosts } = await open();
    hosts.faults.failNext({ kind: 'drop', after: 'effect' });
    await expect(refresh()).rejects.toMatchObject({ code: 'network' });
    expect(hosts.calls()).toHaveLength(1);
  });

  test('without a new refresh token the answer has none', async () => {
    expect((await (await open()).refresh()).refreshToken).toBeUndefined();
  });

  test('no error shows a token, a secret or the words of the provider', async () => {
    const { refresh } = await open({}, () =>
      json({ error: 'x rt-0 s3cret', error_description: 'rt-0 is bad' }, 400),
    );
    const error = (await refresh().catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toBe('login.example refused the request (status 400).');
  });
});

describe('the revocation', () => {
  const url = 'https://login.example/revoke';

  test.each<[string, Partial<OAuth2>, string, Record<string, string>]>([
    ['the refresh token', { revocation: { url, token: 'refresh', body: 'form' } }, 'form', { token: 'rt-0' }],
    ['the access token', { revocation: { url, token: 'access', body: 'form' } }, 'form', { token: 'at-0' }],
    ['JSON', { revocation: { url, token: 'refresh', body: 'json' } }, 'json', { token: 'rt-0' }],
  ])('sends %s', async (_, auth, type, body) => {
    const { revoke, sent } = await open({ ...auth, clientAuthentication: 'basic' }, () => ({ status: 204 }));
    await revoke();
    const call = sent();
    expect(call).toMatchObject({ method: 'POST', path: '/revoke' });
    expect(call.type).toContain(type);
    expect(call.body).toEqual(body);
    expect(call.headers['authorization']).toMatch(/^Basic /);
  });

  test('where it stands in the header a live token is fetched, which ends its grant', async () => {
    const revocation = { url, token: 'access', body: 'none' } as const;
    const { revoke, hosts } = await open({ revocation }, ({ path }) =>
      path === '/token' ? json(tokens) : json(null),
    );
    await revoke();
    const [renewal, ended] = hosts.calls();
    expect(new URLSearchParams(renewal?.body).get('refresh_token')).toBe('rt-0');
    expect(ended).toMatchObject({ method: 'POST', path: '/revoke', body: '' });
    expect(ended?.headers['authorization']).toBe('Bearer at-1');
    expect(ended?.headers['content-type']).toBeUndefined();
    const gone = await open({ revocation }, () => json({ error: 'invalid_grant' }, 400));
    await gone.revoke();
    const down = await open({ revocation }, ({ path }) =>
      path === '/token' ? json(tokens) : { status: 503 },
    );
    await expect(down.revoke()).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  test('where none is declared nothing is sent', async () => {
    const { revoke, hosts } = await open();
    await revoke();
    expect(hosts.calls()).toHaveLength(0);
  });

  test('a token that the provider no longer knows counts as revoked; a failure does not', async () => {
    const revocation = { url, token: 'refresh', body: 'form' } as const;
    const gone = await open({ revocation }, () => json({ error: 'invalid_token' }, 400));
    await gone.revoke();
    const down = await open({ revocation }, () => ({ status: 503 }));
    await expect(down.revoke()).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});

test('an official client makes the token calls, after the way back was checked', async () => {
  const asked: string[] = [];
  const answer = {
    accessToken: new Secret('official'),
    refreshToken: undefined,
    accessLivesMs: 1,
    refreshLivesMs: undefined,
    scopes: undefined,
    rest: {},
  };
  const { exchange, refresh, revoke, hosts } = await open({
    revocation: { url: 'https://login.example/revoke', token: 'refresh', body: 'json' },
    official: {
      exchange: async ({ callback }) => {
        asked.push(`exchange ${callback.searchParams.get('code')}`);
        return answer;
      },
      refresh: async ({ refreshToken }) => {
        asked.push(`refresh ${refreshToken.reveal()}`);
        return answer;
      },
      revoke: async ({ token }) => void asked.push(`revoke ${token.reveal()}`),
    },
  });
  await exchange();
  await refresh();
  await revoke();
  await expect(exchange(new URL(`${redirectUri}?error=access_denied`))).rejects.toMatchObject({
    code: 'permission_denied',
  });
  expect(asked).toEqual(['exchange c0de', 'refresh rt-0', 'revoke rt-0']);
  expect(hosts.calls()).toHaveLength(0);
});

test('the whole way against the authorization server of the sandbox', async () => {
  const clock = manualClock();
  const server = createAuthorizationServer(
    {
      authorizePath: '/authorize',
      tokenPath: '/token',
      revokePath: '/revoke',
      app: { clientId: app.clientId, clientSecret: app.clientSecret.reveal() },
      redirectUris: [redirectUri],
      pkce: 'required',
      clientAuthentication: 'basic',
      accessLivesS: 600,
      rotation: 'always',
      issuer: 'https://login.example',
    },
    clock,
  );
  const { url, exchange, oauth, grant, hosts } = await open(
    {
      issuer: 'https://login.example',
      clientAuthentication: 'basic',
      revocation: { url: 'https://login.example/revoke', token: 'refresh', body: 'form' },
    },
    (call) => server.handle(call) ?? { status: 404 },
  );
  const first = await exchange(await consent(await url(), hosts.url));
  expect(first).toMatchObject({ accessLivesMs: 600_000, scopes: ['a', 'b'] });
  const second = await oauth.refresh(grant, first.refreshToken ?? new Secret('none'));
  expect(server.scopesOf(`Bearer ${second.accessToken.reveal()}`)).toEqual(['a', 'b']);
  await oauth.revoke(grant, { access: second.accessToken, refresh: second.refreshToken });
  expect(server.scopesOf(`Bearer ${second.accessToken.reveal()}`)).toBeUndefined();
  server.next('wrong-issuer');
  await expect(exchange(await consent(await url(), hosts.url))).rejects.toMatchObject({
    code: 'invalid_request',
  });
});
