// Signing in at an issuer: who is a member comes in by what the issuer proves, and by nothing that is forged,
// swapped, replayed or merely claimed.
import { expect, test } from 'vitest';
import type { Lie } from '../../sandbox/oidc-issuer.ts';
import { signInLivesMs } from '../../src/auth/oidc/states.ts';
import { ana, ben, client, eve, mallory, openScene, publicUrl, successor } from './issuer-scene.ts';

const session = '__Host-drawbridge';

test('a member signs in at the issuer, by PKCE, with a state and a nonce, and lands where the way began', async () => {
  const { browser, hosts } = await openScene();
  const visitor = browser();
  const shown = await visitor.get('/history');
  expect(shown.status).toBe(401);
  expect(shown.body).toContain('name="to" value="/history"');
  const url = await visitor.press({ to: '/history' });
  expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: `${publicUrl}/sign-in/callback`,
    scope: 'openid email profile',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  });
  const back = await visitor.get(await visitor.agree(url));
  expect(back.status).toBe(200);
  expect(back.body).toContain('url=/history');
  const cookie = back.headers['set-cookie']?.find((line) => line.startsWith(`${session}=`));
  expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict/);
  const page = await visitor.get('/history');
  expect([page.status, page.body.includes('>Ana<')]).toEqual([200, true]);
  const token = hosts.calls().find(({ path }) => path === '/token');
  expect(Object.fromEntries(new URLSearchParams(token?.body))).toMatchObject({
    grant_type: 'authorization_code',
    redirect_uri: `${publicUrl}/sign-in/callback`,
    code_verifier: expect.stringMatching(/^[\w-]{43}$/),
  });
});

const lies: [Lie, string][] = [
  ['wrong-issuer', 'of another issuer'],
  ['wrong-audience', 'for another client'],
  ['expired', 'that has expired'],
  ['not-yet', 'that is not valid yet'],
  ['alg-none', 'without a signature'],
  ['alg-hs256', 'signed with the public key as a shared one'],
  ['foreign-key', 'signed by somebody else'],
  ['wrong-nonce', 'of another sign-in'],
  ['no-nonce', 'of no sign-in in particular'],
  ['callback-issuer', 'on a way back from another issuer'],
];

test.each(lies)('an ID token of %s signs nobody in: one %s', async (lie) => {
  const { browser, issuer, house } = await openScene();
  const visitor = browser();
  issuer.lie(lie);
  const answer = await visitor.signIn(ana);
  expect(answer.status).toBe(403);
  expect(visitor.cookies.has(session)).toBe(false);
  expect(answer.body).not.toMatch(/eyJ|of-another-sign-in/);
  expect(await house.store.control.read((db) => db.selectFrom('identities').selectAll().execute())).toEqual(
    [],
  );
});

test('who is no member is told whom to ask, and is none afterwards', async () => {
  const { browser, members, house } = await openScene();
  const visitor = browser();
  const answer = await visitor.signIn(eve);
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('drawbridge members add --email');
  expect(visitor.cookies.has(session)).toBe(false);
  expect((await members.list(house.org.orgId)).map(({ email }) => email)).toEqual(['ana@northgate.example']);
});

test('an address that the issuer has not verified is nobody’s, whosever it is', async () => {
  const { browser } = await openScene();
  const visitor = browser();
  const answer = await visitor.signIn(mallory);
  expect([answer.status, visitor.cookies.has(session)]).toEqual([403, false]);
});

test('an account is known by its subject: a new address does not matter, and a successor of the address is a stranger', async () => {
  const { browser, members, house, issuer } = await openScene();
  expect((await browser().signIn(ana)).status).toBe(200);
  expect(await members.linked(issuer.issuer, ana.subject)).toMatchObject({ name: 'Ana' });
  const later = browser();
  const answer = await later.signIn(successor);
  expect([answer.status, later.cookies.has(session)]).toEqual([403, false]);
  expect(answer.body).toContain('drawbridge members unlink');
  await members.unlink(house.org.orgId, 'ana@northgate.example');
  expect((await browser().signIn(successor)).status).toBe(200);
});

test('a way back is good once', async () => {
  const { browser } = await openScene();
  const visitor = browser();
  const back = await visitor.agree(await visitor.press());
  expect((await visitor.get(back)).status).toBe(200);
  const again = await visitor.get(back);
  expect([again.status, again.headers['set-cookie']]).toEqual([403, undefined]);
});

test('a way back is good in the browser that began it alone, and spent by whoever else brings it', async () => {
  const { browser, hosts } = await openScene();
  const attacker = browser();
  const back = await attacker.agree(await attacker.press());
  const victim = browser();
  await victim.press();
  const answer = await victim.get(back);
  expect([answer.status, victim.cookies.has(session)]).toEqual([403, false]);
  expect((await attacker.get(back)).status).toBe(403);
  expect(hosts.calls().some(({ path }) => path === '/token')).toBe(false);
});

test('a code of another sign-in is refused, with the state of one’s own', async () => {
  const { browser } = await openScene();
  const attacker = browser();
  const stolen =
    new URLSearchParams((await attacker.agree(await attacker.press())).split('?')[1]).get('code') ?? '';
  const victim = browser();
  const own = new URL(await victim.agree(await victim.press()), publicUrl);
  own.searchParams.set('code', stolen);
  const answer = await victim.get(`${own.pathname}${own.search}`);
  expect([answer.status, victim.cookies.has(session)]).toEqual([403, false]);
});

test('a way back is good for ten minutes', async () => {
  const { browser, clock } = await openScene();
  const visitor = browser();
  const back = await visitor.agree(await visitor.press());
  clock.advance(signInLivesMs);
  expect((await visitor.get(back)).status).toBe(403);
});

test('who says no at the issuer is told that nobody was signed in', async () => {
  const { browser } = await openScene();
  const visitor = browser();
  const answer = await visitor.get(await visitor.agree(await visitor.press(), { ...ana, subject: '' }));
  expect([answer.status, answer.body.includes('You did not agree')]).toEqual([403, true]);
});

test('another site cannot begin a sign-in in somebody’s browser', async () => {
  const { browser } = await openScene();
  const visitor = browser();
  expect(await visitor.press({ origin: 'https://evil.example' })).not.toContain('/authorize');
  expect(visitor.cookies.size).toBe(0);
});

test('after sign-in nobody is led away from here', async () => {
  const { browser } = await openScene();
  const visitor = browser();
  const url = await visitor.press({ to: 'https://evil.example/' });
  expect((await visitor.get(await visitor.agree(url))).body).toContain('url=/"');
});

test('a removed member’s session and account open nothing any more', async () => {
  const { browser, members, house, issuer } = await openScene();
  await members.add(house.org.orgId, { email: 'Ben@Northgate.example', name: 'Ben', role: 'member' });
  const visitor = browser();
  await visitor.signIn(ben);
  expect((await visitor.get('/')).status).toBe(200);
  await members.remove(house.org.orgId, 'ben@northgate.example');
  expect((await visitor.get('/')).status).toBe(401);
  expect(await members.linked(issuer.issuer, ben.subject)).toBeUndefined();
});

test('of a sign-in under way the database alone tells nothing that could finish it', async () => {
  const { browser, house, hosts } = await openScene();
  const visitor = browser();
  const url = new URL(await visitor.press());
  const rows = await house.store.control.read((db) => db.selectFrom('sign_in_states').selectAll().execute());
  const kept = rows
    .flatMap((row) => Object.values(row))
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)));
  await visitor.get(await visitor.agree(url.href));
  const verifier = new URLSearchParams(hosts.calls().find(({ path }) => path === '/token')?.body).get(
    'code_verifier',
  );
  expect(verifier).toMatch(/^[\w-]{43}$/);
  const secrets = [
    verifier,
    url.searchParams.get('state'),
    url.searchParams.get('nonce'),
    ...visitor.cookies.values(),
  ];
  for (const secret of secrets) {
    expect(kept.some((value) => value.includes(String(secret)))).toBe(false);
    expect(house.log.join('')).not.toContain(String(secret));
  }
});

test('an issuer that is down is said to be, and the way is open again when it is up', async () => {
  const { browser, hosts, clock } = await openScene();
  hosts.faults.failNext({ kind: 'refuse', status: 404 }, 'openid-configuration');
  const visitor = browser();
  const answer = await visitor.ask('/sign-in/with', {
    method: 'POST',
    headers: { origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'option=issuer',
  });
  expect([answer.status, answer.body.includes('login.example does not say')]).toEqual([502, true]);
  clock.advance(1000);
  expect((await visitor.signIn(ana)).status).toBe(200);
});
