// Signing in by Supabase Auth, through its own client and the real door: what leaves, and what of the answer is
// believed.
import { expect, test } from 'vitest';
import { createSupabaseAuth, type SupabaseLie, type SupabaseUser } from '../../sandbox/supabase.ts';
import { openHosted, publicUrl, resource } from './issuer-scene.ts';

const session = '__Host-drawbridge';
const email = 'ana@northgate.example';
const ana: SupabaseUser = {
  id: '7d5f5f52-0c1f-4d0a-9d0b-1f0f8f1c2a01',
  email,
  identities: [{ provider: 'google', email, email_verified: true }],
};
/** Signed up by a password with Ana's address, which the project never confirmed, and then linked Google. */
const squatter: SupabaseUser = {
  id: '7d5f5f52-0c1f-4d0a-9d0b-1f0f8f1c2a02',
  email,
  identities: [
    { provider: 'email', email, email_verified: true },
    { provider: 'google', email: 'mallory@elsewhere.example', email_verified: true },
  ],
};
/** An account whose address its provider has not checked. */
const unverified: SupabaseUser = {
  id: '7d5f5f52-0c1f-4d0a-9d0b-1f0f8f1c2a03',
  email,
  identities: [{ provider: 'google', email, email_verified: false }],
};
const at = ({ id }: SupabaseUser) => ({ subject: id });

const open = (env: Record<string, string> = {}) =>
  openHosted(
    (clock) =>
      createSupabaseAuth(
        {
          host: 'abc.supabase.co',
          publishableKey: 'sb_publishable_1',
          redirects: [`${publicUrl}/sign-in/callback`],
          providers: ['google', 'apple', 'linkedin_oidc'],
          users: [ana, squatter, unverified],
        },
        clock,
      ),
    {
      DRAWBRIDGE_SUPABASE_URL: 'https://abc.supabase.co',
      DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_1',
      DRAWBRIDGE_SIGN_IN_WITH: 'google,apple,linkedin',
      ...env,
    },
  );

test('the page has a button for each account that the project takes, in their order', async () => {
  const { browser } = await open();
  const { body } = await browser().get('/sign-in');
  expect(
    [...body.matchAll(/name="option" value="(\w+)"[^>]*>([^<]+)</g)].map(([, id, title]) => [id, title]),
  ).toEqual([
    ['google', 'Sign in with Google'],
    ['apple', 'Sign in with Apple'],
    ['linkedin', 'Sign in with LinkedIn'],
  ]);
});

test.each([
  ['google', 'google'],
  ['apple', 'apple'],
  ['linkedin', 'linkedin_oidc'],
])('the button %s leads to the provider %s, by PKCE', async (option, provider) => {
  const { browser } = await open();
  const { pathname, searchParams } = new URL(await browser().press({ option }));
  expect(pathname).toBe('/abc.supabase.co/auth/v1/authorize');
  expect(Object.fromEntries(searchParams)).toEqual({
    provider,
    redirect_to: expect.stringMatching(
      /^https:\/\/bridge\.example\.com\/sign-in\/callback\?state=[\w-]{43}$/,
    ),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 's256',
  });
});

test('a member comes in, and what left for it was the exchange of the code with the publishable key', async () => {
  const { browser, hosts, members, issuer } = await open();
  const visitor = browser();
  expect((await visitor.signIn(at(ana), 'google')).status).toBe(200);
  expect((await visitor.get('/')).status).toBe(200);
  expect(await members.linked(issuer.issuer, ana.id)).toMatchObject({ name: 'Ana' });
  const [token, keys, ...others] = hosts.calls().filter(({ path }) => !path.endsWith('/authorize'));
  expect(others).toEqual([]);
  expect([token?.method, token?.path, token?.query.get('grant_type')]).toEqual([
    'POST',
    '/auth/v1/token',
    'pkce',
  ]);
  expect(token?.headers['apikey']).toBe('sb_publishable_1');
  expect(JSON.parse(token?.body ?? '')).toEqual({
    auth_code: expect.any(String),
    code_verifier: expect.stringMatching(/^\w{112}$/),
  });
  expect([keys?.method, keys?.path]).toEqual(['GET', '/auth/v1/.well-known/jwks.json']);
});

test.each<[string, SupabaseUser]>([
  ['that was signed up with a password and linked an account of another address', squatter],
  ['whose address its provider has not verified', unverified],
])('a user %s is not taken for the member', async (_what, user) => {
  const { browser } = await open();
  const visitor = browser();
  expect((await visitor.signIn(at(user), 'google')).status).toBe(403);
  expect(visitor.cookies.has(session)).toBe(false);
});

test('an account of another provider than the chosen one proves nothing', async () => {
  const { browser } = await open();
  const visitor = browser();
  expect((await visitor.signIn(at(ana), 'apple')).status).toBe(403);
});

const lies: SupabaseLie[] = ['wrong-issuer', 'wrong-audience', 'expired', 'foreign-key', 'another-user'];
test.each(lies)('an answer with a token of the kind %s signs nobody in', async (lie) => {
  const { browser, issuer } = await open();
  const visitor = browser();
  issuer.lie(lie);
  expect((await visitor.signIn(at(ana), 'google')).status).toBe(403);
  expect(visitor.cookies.has(session)).toBe(false);
});

test('a code of another browser’s sign-in is refused', async () => {
  const { browser } = await open();
  const attacker = browser();
  const back = await attacker.agree(await attacker.press({ option: 'google' }), at(ana));
  const stolen = new URLSearchParams(back.split('?')[1]).get('code') ?? '';
  const victim = browser();
  const own = new URL(await victim.agree(await victim.press({ option: 'google' }), at(ana)), publicUrl);
  own.searchParams.set('code', stolen);
  expect((await victim.get(`${own.pathname}${own.search}`)).status).toBe(403);
  expect(victim.cookies.has(session)).toBe(false);
});

test('who says no is told so', async () => {
  const { browser } = await open();
  const visitor = browser();
  const answer = await visitor.signIn({ subject: '' }, 'google');
  expect([answer.status, answer.body.includes('You did not agree')]).toEqual([403, true]);
});

test('a token of the project opens /mcp only when it is meant for Drawbridge', async () => {
  const { browser, issuer, mcp, house } = await open();
  await browser().signIn(at(ana), 'google');
  expect((await mcp(issuer.accessToken(ana.id))).status).toBe(401);
  expect((await mcp(issuer.accessToken(ana.id, { aud: ['authenticated', resource] }))).status).toBe(200);
  expect((await mcp(issuer.accessToken(ana.id, { aud: resource, scope: 'read propose' }))).status).toBe(200);
  expect(house.mcpCalls.map(({ scopes }) => scopes)).toEqual([['read'], ['read', 'propose']]);
});

test('where the project’s own audience is taken, a person’s session in another app still opens nothing', async () => {
  const { browser, issuer, mcp, house } = await open({ DRAWBRIDGE_OIDC_AUDIENCE: 'authenticated' });
  await browser().signIn(at(ana), 'google');
  // Of such a session no client is named.
  expect((await mcp(issuer.accessToken(ana.id, { client_id: undefined }))).status).toBe(401);
  expect(house.mcpCalls).toEqual([]);
  expect((await mcp(issuer.accessToken(ana.id))).status).toBe(200);
});
