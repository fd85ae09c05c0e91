// Intuit's official client behind the real door: what leaves for the token endpoints, and what is made of
// what comes back.
import { expect, onTestFinished, test } from 'vitest';
import { consent } from '../../../sandbox/person.ts';
import { startProviderHosts } from '../../../sandbox/providers.ts';
import { createQuickbooks, quickbooksApp } from '../../../sandbox/quickbooks/index.ts';
import { createOAuth } from '../../../src/auth/oauth/create.ts';
import type { Grant } from '../../../src/auth/oauth/oauth.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { auth } from '../../../src/providers/quickbooks/auth.ts';
import { Secret } from '../../../src/secret.ts';
import { manualClock } from '../../egress/manual-clock.ts';
import { caller, door } from '../../egress/wire.ts';

const redirectUri = 'http://localhost:7331/api/v1/integrations/quickbooks/callback';
const tokenPath = '/oauth2/v1/tokens/bearer';

async function open() {
  const clock = manualClock();
  const quickbooks = createQuickbooks({ clock, redirectUris: [redirectUri] });
  const hosts = await startProviderHosts([quickbooks]);
  onTestFinished(() => hosts.close());
  const { egress } = door({ clock, sandboxUrl: hosts.url });
  const fetch = egress.fetchFor(caller);
  const oauth = createOAuth({ clock });
  const grant: Grant = {
    auth,
    app: { clientId: quickbooksApp.clientId, clientSecret: new Secret(quickbooksApp.clientSecret) },
    fields: { environment: 'production' },
    fetch: (input, init) => fetch(input, { ...init, once: true }),
    within: (work) => egress.within(caller, work),
  };
  const codeVerifier = new Secret('a'.repeat(64));
  const url = await oauth.authorizationUrl({
    ...grant,
    scopes: auth.scopes,
    redirectUri,
    state: 'st',
    codeVerifier,
  });
  return {
    quickbooks,
    hosts,
    oauth,
    grant,
    url,
    exchange: (callback: URL) => oauth.exchange(grant, { callback, redirectUri, codeVerifier }),
    sent: () =>
      hosts
        .calls()
        .filter(({ host }) => host !== 'appcenter.intuit.com')
        .map(({ method, host, path, headers, body }) => ({
          call: `${method} https://${host}${path}`,
          type: headers['content-type'],
          agent: headers['user-agent'],
          hardEnd: headers['x-include-refresh-token-hard-expires-in'],
          authorization: headers['authorization'],
          body,
        })),
  };
}

test('the consent names scope and redirect, and the way back the company', async () => {
  const { url, hosts, quickbooks } = await open();
  expect(url.href).toMatchInlineSnapshot(
    `"https://appcenter.intuit.com/connect/oauth2?client_id=quickbooks-app&redirect_uri=http%3A%2F%2Flocalhost%3A7331%2Fapi%2Fv1%2Fintegrations%2Fquickbooks%2Fcallback&response_type=code&state=st&scope=com.intuit.quickbooks.accounting"`,
  );
  const back = await consent(url, hosts.url);
  expect(back.searchParams.get('realmId')).toBe(quickbooks.realm);
});

test('code, refresh and revocation are one call each, as Intuit wants them', async () => {
  const { url, hosts, oauth, grant, exchange, sent, quickbooks } = await open();
  const first = await exchange(await consent(url, hosts.url));
  expect(first).toMatchObject({
    accessLivesMs: 3_600_000,
    // The rolling end, which comes before that of five years.
    refreshLivesMs: 101 * 86_400_000,
    scopes: undefined,
    rest: {},
  });
  const second = await oauth.refresh(grant, first.refreshToken ?? new Secret('none'));
  expect(second.refreshToken?.reveal()).not.toBe(first.refreshToken?.reveal());
  expect(quickbooks.auth.scopesOf(`Bearer ${second.accessToken.reveal()}`)).toEqual(auth.scopes);
  await oauth.revoke(grant, { access: second.accessToken, refresh: second.refreshToken });
  expect(quickbooks.auth.scopesOf(`Bearer ${second.accessToken.reveal()}`)).toBeUndefined();
  const pair = Buffer.from(`${quickbooksApp.clientId}:${quickbooksApp.clientSecret}`).toString('base64');
  const calls = sent();
  expect(calls.map(({ authorization }) => authorization)).toEqual(Array(3).fill(`Basic ${pair}`));
  const secretless = calls.map(({ authorization: _pair, body, ...call }) => ({
    ...call,
    body: body.replace(/sandbox-\w+-[\w-]+|(?<=code=)[\w-]+/g, 'TOKEN'),
  }));
  expect(secretless).toMatchSnapshot();
});

test('where the five years end before the hundred days, that is the end', async () => {
  const { url, hosts, exchange } = await open();
  const back = await consent(url, hosts.url);
  const body = { access_token: 'a', refresh_token: 'r', expires_in: 3600 };
  const ends = { x_refresh_token_expires_in: 8_640_000, x_refresh_token_hard_expires_in: 86_400 };
  hosts.faults.failNext({ kind: 'garble', body: JSON.stringify({ ...body, ...ends }) }, tokenPath);
  expect((await exchange(back)).refreshLivesMs).toBe(86_400_000);
});

test('an answer without a refresh token leaves the stored one, one without an access token is none', async () => {
  const { hosts, oauth, grant } = await open();
  hosts.faults.failNext({ kind: 'garble', body: '{"access_token":"a","expires_in":3600}' }, tokenPath);
  const answer = await oauth.refresh(grant, new Secret('r'));
  expect(answer.refreshToken).toBeUndefined();
  for (const body of ['{"expires_in":3600}', '<html>', '"text"', 'null', '[]']) {
    hosts.faults.failNext({ kind: 'garble', body }, tokenPath);
    await expect(oauth.refresh(grant, new Secret('r'))).rejects.toMatchObject({ code: 'malformed_response' });
  }
});

test.each([
  ['invalid_grant', 400, 'auth_expired', 'auth_revoked'],
  ['invalid_client', 401, 'invalid_request', 'permission_denied'],
  ['unauthorized_client', 400, 'invalid_request', 'permission_denied'],
  ['something', 403, 'invalid_request', 'permission_denied'],
  ['', 429, 'rate_limited', 'rate_limited'],
  ['', 503, 'provider_unavailable', 'provider_unavailable'],
])(
  'a refusal %s (%i) is %s of a code, %s of a refresh, and is not asked again',
  async (error, status, ofCode, ofRefresh) => {
    const { hosts, exchange, oauth, grant, sent } = await open();
    const refuse = () => {
      const text = error === '' ? 'busy' : JSON.stringify({ error, error_description: 'no' });
      hosts.faults.failNext(
        { kind: 'refuse', status, text, headers: { 'content-type': 'application/json' } },
        tokenPath,
      );
    };
    refuse();
    await expect(exchange(new URL(`${redirectUri}?code=c&state=st&realmId=1`))).rejects.toMatchObject({
      code: ofCode,
    });
    refuse();
    await expect(oauth.refresh(grant, new Secret('r'))).rejects.toMatchObject({ code: ofRefresh });
    expect(sent()).toHaveLength(2);
  },
);

test('a cut line is told as such, and the call is not made again', async () => {
  const { hosts, oauth, grant, sent } = await open();
  hosts.faults.failNext({ kind: 'drop', after: 'effect' }, tokenPath);
  await expect(oauth.refresh(grant, new Secret('r'))).rejects.toMatchObject({ code: 'network' });
  expect(sent()).toHaveLength(1);
});

test('a token that Intuit no longer knows counts as revoked; a failure does not', async () => {
  const { hosts, oauth, grant } = await open();
  const path = '/v2/oauth2/tokens/revoke';
  hosts.faults.failNext({ kind: 'refuse', status: 400, text: '{"error":"invalid_token"}' }, path);
  await oauth.revoke(grant, { access: undefined, refresh: new Secret('r') });
  hosts.faults.failNext({ kind: 'refuse', status: 503 }, path);
  await expect(oauth.revoke(grant, { access: undefined, refresh: new Secret('r') })).rejects.toMatchObject({
    code: 'provider_unavailable',
  });
});

test('attack: a way back that names another redirect is sent on with ours', async () => {
  const { exchange, sent } = await open();
  const evil = encodeURIComponent('https://evil.example/');
  const back = new URL(`${redirectUri}?code=c&state=st&realmId=1&redirectUri=${evil}&redirect_uri=${evil}`);
  await exchange(back).catch(() => undefined);
  expect(new URLSearchParams(sent()[0]?.body).get('redirect_uri')).toBe(redirectUri);
});

test('no credential stands in what is thrown', async () => {
  const { hosts, oauth, grant } = await open();
  const secrets = ['refresh-token-of-the-test', quickbooksApp.clientSecret];
  for (const status of [400, 401, 500]) {
    const text = JSON.stringify({ error: `refresh-token-of-the-test ${quickbooksApp.clientSecret}` });
    hosts.faults.failNext({ kind: 'refuse', status, text }, tokenPath);
    const thrown = await oauth.refresh(grant, new Secret(secrets[0] ?? '')).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(DrawbridgeError);
    for (let at: unknown = thrown; at instanceof Error; at = at.cause) {
      const told = [at.message, at.stack, JSON.stringify(at)].join();
      for (const secret of secrets) expect(told).not.toContain(secret);
    }
  }
});
