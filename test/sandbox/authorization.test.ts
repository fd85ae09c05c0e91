import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthorizationOptions } from '../../sandbox/authorization.ts';
import { createAuthorizationServer } from '../../sandbox/authorization-server.ts';
import { consent } from '../../sandbox/person.ts';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { manualClock } from '../egress/manual-clock.ts';

const app = { clientId: 'client', clientSecret: 's e/cret' };
const redirect = 'http://localhost:7331/callback';
const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');

async function open(given: Partial<AuthorizationOptions> = {}) {
  const clock = manualClock();
  const server = createAuthorizationServer(
    {
      authorizePath: '/authorize',
      tokenPath: '/token',
      revokePath: '/revoke',
      app,
      redirectUris: [redirect],
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 3600,
      rotation: 'always',
      issuer: 'https://login.example',
      ...given,
    },
    clock,
  );
  const hosts = await startProviderHosts([
    {
      provider: 'example',
      hosts: ['login.example'],
      handle: (call) => server.handle(call) ?? { status: 404 },
    },
  ]);
  onTestFinished(() => hosts.close());

  const address = (changed: Record<string, string | undefined> = {}) => {
    const url = new URL('https://login.example/authorize');
    const query = {
      client_id: app.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope: 'read write',
      state: 'st',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changed,
    };
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  };
  const post = async (path: string, body: Record<string, string>, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${hosts.url}/login.example${path}`, {
      method: 'POST',
      body: new URLSearchParams(body),
      headers,
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, string>) };
  };
  const credentials = { client_id: app.clientId, client_secret: app.clientSecret };
  const exchange = (code: string, changed: Record<string, string> = {}) =>
    post('/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
      ...credentials,
      ...changed,
    });
  const refresh = (token: string | undefined) =>
    post('/token', { grant_type: 'refresh_token', refresh_token: token ?? '', ...credentials });
  const codeOf = async (url = address()) =>
    (await consent(url, hosts.url)).searchParams.get('code') ?? 'no code';
  const granted = async () => (await exchange(await codeOf())).body;
  return { clock, server, hosts, address, post, exchange, refresh, codeOf, granted };
}

describe('the consent page', () => {
  test('sends the person back with code, state and issuer, and what the provider adds', async () => {
    const { address, hosts } = await open({ callbackExtras: { realmId: '42' } });
    const back = await consent(address(), hosts.url);
    expect(back.origin + back.pathname).toBe(redirect);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      state: 'st',
      iss: 'https://login.example',
      code: expect.any(String),
      realmId: '42',
    });
  });

  test('a no comes back as access_denied, by button or on order', async () => {
    const { address, hosts, server } = await open();
    expect((await consent(address(), hosts.url, { press: 'deny' })).searchParams.get('error')).toBe(
      'access_denied',
    );
    server.next('deny');
    const back = await consent(address(), hosts.url);
    expect(back.searchParams.get('error')).toBe('access_denied');
    expect(back.searchParams.has('code')).toBe(false);
  });

  test('another issuer or state comes back on order, once', async () => {
    const { address, hosts, server } = await open();
    server.next('wrong-issuer');
    server.next('wrong-state');
    expect((await consent(address(), hosts.url)).searchParams.get('iss')).not.toBe('https://login.example');
    expect((await consent(address(), hosts.url)).searchParams.get('state')).not.toBe('st');
    expect((await consent(address(), hosts.url)).searchParams.get('state')).toBe('st');
  });

  test.each([
    ['an unknown client', { client_id: 'other' }],
    ['a redirect that only begins like ours', { redirect_uri: `${redirect}/more` }],
  ])('%s is shown an error and sent nowhere', async (_, changed) => {
    const { address, hosts } = await open();
    await expect(consent(address(changed), hosts.url)).rejects.toThrow('is not registered');
  });

  test.each([
    ['no PKCE', { code_challenge: undefined }],
    ['a plain challenge', { code_challenge_method: 'plain' }],
    ['another response type', { response_type: 'token' }],
  ])('%s is refused on the way back', async (_, changed) => {
    const { address, hosts } = await open();
    expect((await consent(address(changed), hosts.url)).searchParams.get('error')).toBe('invalid_request');
  });

  test('unticked scopes are not granted', async () => {
    const { address, hosts, exchange, server } = await open();
    const back = await consent(address(), hosts.url, { scopes: ['read'] });
    const { body } = await exchange(back.searchParams.get('code') ?? '');
    expect(body['scope']).toBe('read');
    expect(server.scopesOf(`Bearer ${body['access_token']}`)).toEqual(['read']);
  });
});

describe('the token endpoint', () => {
  test('a code works once; its second use ends what the first one got', async () => {
    const { codeOf, exchange, server } = await open();
    const code = await codeOf();
    const { body } = await exchange(code);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'read write' });
    expect((await exchange(code)).body).toEqual({ error: 'invalid_grant' });
    expect(server.scopesOf(`Bearer ${body['access_token']}`)).toBeUndefined();
  });

  test.each([
    ['another verifier', { code_verifier: 'w'.repeat(43) }],
    ['another redirect', { redirect_uri: 'http://localhost:7331/other' }],
  ])('%s spoils the code', async (_, changed) => {
    const { codeOf, exchange } = await open();
    expect((await exchange(await codeOf(), changed)).body).toEqual({ error: 'invalid_grant' });
  });

  test('a code ends after a minute', async () => {
    const { codeOf, exchange, clock } = await open();
    const code = await codeOf();
    clock.advance(60_000);
    expect((await exchange(code)).body).toEqual({ error: 'invalid_grant' });
  });

  test('a wrong secret is an invalid client; basic takes the encoded pair and nothing in the body', async () => {
    const { codeOf, exchange } = await open();
    expect(await exchange(await codeOf(), { client_secret: 'wrong' })).toEqual({
      status: 401,
      body: { error: 'invalid_client' },
    });
    const basic = await open({ clientAuthentication: 'basic' });
    const code = await basic.codeOf();
    expect((await basic.exchange(code)).status).toBe(401);
    const given = { grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier };
    const pair = Buffer.from('client:s+e%2Fcret').toString('base64');
    expect((await basic.post('/token', given, { authorization: `Basic ${pair}` })).status).toBe(200);
  });

  test('rotation: a used refresh token ends the whole grant', async () => {
    const { granted, refresh, server } = await open();
    const first = await granted();
    const second = (await refresh(first['refresh_token'])).body;
    expect(second['refresh_token']).not.toBe(first['refresh_token']);
    expect(server.scopesOf(`Bearer ${second['access_token']}`)).toEqual(['read', 'write']);
    expect((await refresh(first['refresh_token'])).body).toEqual({ error: 'invalid_grant' });
    expect((await refresh(second['refresh_token'])).body).toEqual({ error: 'invalid_grant' });
    expect(server.scopesOf(`Bearer ${second['access_token']}`)).toBeUndefined();
    expect(server.tokenCalls()).toEqual([
      { grant: 'authorization_code', ok: true },
      { grant: 'refresh_token', ok: true },
      { grant: 'refresh_token', ok: false },
      { grant: 'refresh_token', ok: false },
    ]);
  });

  test('with a grace, the used token answers with the same pair until it ends', async () => {
    const { granted, refresh, clock } = await open({ graceS: 30 });
    const first = await granted();
    const second = (await refresh(first['refresh_token'])).body;
    expect((await refresh(first['refresh_token'])).body).toEqual(second);
    clock.advance(30_000);
    expect((await refresh(first['refresh_token'])).body).toEqual({ error: 'invalid_grant' });
  });

  test.each([
    [false, undefined],
    [true, 'the same'],
  ])('without rotation the refresh token stays (repeated: %s)', async (repeatsRefreshToken, expected) => {
    const { granted, refresh } = await open({ rotation: 'never', repeatsRefreshToken });
    const first = await granted();
    const second = (await refresh(first['refresh_token'])).body;
    expect(second['refresh_token']).toBe(expected === undefined ? undefined : first['refresh_token']);
    expect((await refresh(first['refresh_token'])).status).toBe(200);
  });
});

describe('the end of a grant', () => {
  test('an access token ends after its time, or on order; its refresh token stays', async () => {
    const { granted, server, clock, refresh } = await open();
    const { access_token: access, refresh_token: token } = await granted();
    expect(server.scopesOf(`bearer ${access}`)).toEqual(['read', 'write']);
    clock.advance(3_600_000);
    expect(server.scopesOf(`Bearer ${access}`)).toBeUndefined();
    const next = (await refresh(token)).body;
    server.expireAccess();
    expect(server.scopesOf(`Bearer ${next['access_token']}`)).toBeUndefined();
    expect((await refresh(next['refresh_token'])).status).toBe(200);
  });

  test('revoking either token, or removing the app, ends it all', async () => {
    for (const end of ['access_token', 'refresh_token', 'all'] as const) {
      const { granted, server, post, refresh } = await open();
      const tokens = await granted();
      if (end === 'all') server.revokeAll();
      else expect((await post('/revoke', { token: tokens[end] ?? '' })).status).toBe(200);
      expect(server.scopesOf(`Bearer ${tokens['access_token']}`)).toBeUndefined();
      expect((await refresh(tokens['refresh_token'])).body).toEqual({ error: 'invalid_grant' });
    }
  });
});
