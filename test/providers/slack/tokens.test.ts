// Slack's consent: whose scopes are asked for, whose token is taken, and how it is renewed.
import { expect, onTestFinished, test } from 'vitest';
import { consent } from '../../../sandbox/person.ts';
import { startProviderHosts } from '../../../sandbox/providers.ts';
import { createSlack, type SlackOptions, slackApp } from '../../../sandbox/slack/index.ts';
import { emptyWorld } from '../../../sandbox/world.ts';
import { createOAuth } from '../../../src/auth/oauth/create.ts';
import type { Grant } from '../../../src/auth/oauth/oauth.ts';
import { auth, tokenIn } from '../../../src/providers/slack/auth.ts';
import { provider } from '../../../src/providers/slack/index.ts';
import { Secret } from '../../../src/secret.ts';
import { manualClock } from '../../egress/manual-clock.ts';
import { caller, door } from '../../egress/wire.ts';

const redirectUri = 'http://localhost:7331/api/v1/integrations/slack/callback';

async function open(as: 'user' | 'bot', options: Partial<SlackOptions> = {}) {
  const clock = manualClock();
  const slack = createSlack({ clock, world: emptyWorld(clock.now()), ...options });
  const hosts = await startProviderHosts([slack]);
  onTestFinished(() => hosts.close());
  const { egress } = door({ clock, sandboxUrl: hosts.url });
  const fetch = egress.fetchFor(caller);
  const oauth = createOAuth({ clock });
  const grant: Grant = {
    auth,
    app: { clientId: slackApp.clientId, clientSecret: new Secret(slackApp.clientSecret) },
    fields: provider.fields.parse({ as }),
    fetch: (input, init) => fetch(input, { ...init, once: true }),
    within: (work) => egress.within(caller, work),
  };
  const codeVerifier = new Secret('a'.repeat(64));
  const scopes = ['channels:read', 'chat:write'];
  const url = await oauth.authorizationUrl({ ...grant, scopes, redirectUri, state: 'st', codeVerifier });
  return {
    slack,
    oauth,
    grant,
    url,
    exchange: async () =>
      oauth.exchange(grant, { callback: await consent(url, hosts.url), redirectUri, codeVerifier }),
    hosts,
    whose: async (token: Secret) => {
      const headers = { authorization: `Bearer ${token.reveal()}` };
      return (await (await fetch('https://slack.com/api/auth.test', { headers })).json()) as {
        user_id: string;
      };
    },
  };
}

test.each([
  ['user', 'user_scope', 'scope', 'U0MAREN'],
  ['bot', 'scope', 'user_scope', 'U0DRAWBRIDGE'],
] as const)(
  'as %s the scopes are asked for as %s alone, and the token is of that kind, renewed, too',
  async (as, name, other, who) => {
    const { url, exchange, oauth, grant, whose } = await open(as);
    expect(url.origin + url.pathname).toBe('https://slack.com/oauth/v2/authorize');
    expect(url.searchParams.get(name)).toBe('channels:read,chat:write');
    expect(url.searchParams.get(other)).toBeNull();
    const first = await exchange();
    expect(first).toMatchObject({ accessLivesMs: 43_200_000, scopes: ['channels:read', 'chat:write'] });
    expect(await whose(first.accessToken)).toMatchObject({ user_id: who });
    const second = await oauth.refresh(grant, first.refreshToken ?? new Secret('none'));
    expect(second.refreshToken?.reveal()).not.toBe(first.refreshToken?.reveal());
    expect(await whose(second.accessToken)).toMatchObject({ user_id: who });
    // Worked once: a second use ends the grant.
    await expect(oauth.refresh(grant, first.refreshToken ?? new Secret('none'))).rejects.toMatchObject({
      code: 'auth_revoked',
    });
  },
);

test('without rotation a token has no end and nothing to renew it with; revoking ends it', async () => {
  const { exchange, oauth, grant, whose, hosts } = await open('user', { rotates: false });
  const { accessToken, refreshToken, accessLivesMs } = await exchange();
  expect([refreshToken, accessLivesMs]).toEqual([undefined, undefined]);
  await oauth.revoke(grant, { access: accessToken, refresh: undefined });
  const call = hosts.calls().at(-1);
  expect([call?.method, call?.path, call?.body]).toEqual(['POST', '/api/auth.revoke', '']);
  expect(call?.headers['authorization']).toBe(`Bearer ${accessToken.reveal()}`);
  expect(await whose(accessToken)).toMatchObject({ ok: false, error: 'token_revoked' });
});

test('attack: a token of the app never takes the place of a person’s, nor the other way round', () => {
  const app = { access_token: 'xoxb', token_type: 'bot', authed_user: { id: 'U1' } };
  const both = { ...app, authed_user: { id: 'U1', access_token: 'xoxp', token_type: 'user' } };
  expect(tokenIn(app, { as: 'user' })).toBeUndefined();
  expect(tokenIn(app, { as: 'bot' })).toBe(app);
  expect(tokenIn(both, { as: 'user' })).toBe(both.authed_user);
  expect(tokenIn(both, { as: 'bot' })).toBe(both);
  expect(tokenIn({ ok: true, authed_user: both.authed_user }, { as: 'bot' })).toBeUndefined();
  expect(tokenIn({ access_token: 'xoxp', token_type: 'user' }, { as: 'bot' })).toBeUndefined();
});

test('a setting that is none is refused with its field', () => {
  expect(provider.fields.safeParse({ as: 'admin' }).error?.issues[0]?.path).toEqual(['as']);
  expect(provider.fields.safeParse({ app: 'mine' }).error?.issues[0]?.path).toEqual(['app']);
});
