// Agents with an access token of the issuer: where they learn of it, what is checked of it, and what it opens.
import { expect, test } from 'vitest';
import type { Lie } from '../../sandbox/oidc-issuer.ts';
import { ana, ben, openScene, publicUrl, resource, type Scene } from './issuer-scene.ts';

const metadataUrl = `${publicUrl}/.well-known/oauth-protected-resource/mcp`;
const good = { sub: ana.subject, aud: resource, client_id: 'claude', scope: 'read propose' };

/** Ana has signed in once: her account is known. */
async function openKnown(env: Record<string, string> = {}): Promise<Scene> {
  const scene = await openScene(env);
  expect((await scene.browser().signIn(ana)).status).toBe(200);
  return scene;
}

test('what /mcp is and who gives tokens for it stands at both addresses, and the challenge leads there', async () => {
  const { house } = await openScene();
  const headers = { host: 'bridge.example.com', accept: 'application/json' };
  const shown = {
    resource,
    authorization_servers: ['https://login.example'],
    scopes_supported: ['read', 'propose'],
    bearer_methods_supported: ['header'],
    resource_name: 'Drawbridge',
  };
  for (const path of ['', '/mcp']) {
    const answer = await house.ask(`/.well-known/oauth-protected-resource${path}`, { headers });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, shown]);
  }
  const refused = await house.ask('/mcp', { method: 'POST', headers, body: '{}' });
  expect(refused.status).toBe(401);
  expect(refused.headers['www-authenticate']).toBe(
    `Bearer realm="drawbridge", resource_metadata="${metadataUrl}", scope="read propose"`,
  );
});

test('a token of the issuer for this resource opens /mcp for its person’s org, under its client’s name', async () => {
  const { mcp, issuer, house } = await openKnown();
  expect((await mcp(issuer.accessToken(good))).status).toBe(200);
  expect(house.mcpCalls).toEqual([
    {
      kind: 'agent',
      orgId: house.org.orgId,
      // Whom it acts for: it sees what that member sees.
      memberId: expect.stringMatching(/^mbr_/),
      agentId: expect.stringMatching(/^oauth_[0-9a-f]{32}$/),
      name: 'claude for Ana',
      scopes: ['read', 'propose'],
    },
  ]);
});

const lies: Lie[] = ['alg-none', 'alg-hs256', 'foreign-key'];
test.each(lies)('a token with a signature of the kind %s opens nothing', async (lie) => {
  const { mcp, issuer, house } = await openKnown();
  issuer.lie(lie);
  const answer = await mcp(issuer.accessToken(good));
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  expect(house.mcpCalls).toEqual([]);
});

const now = Math.floor(Date.now() / 1000);
test.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
  ['of another issuer', { iss: 'https://another.example' }],
  ['of the same issuer with a slash more', { iss: 'https://login.example/' }],
  ['for another resource', { aud: 'https://another.example/mcp' }],
  ['for the client that people sign in with', { aud: 'client-1' }],
  ['for a resource that begins alike', { aud: `${resource}/other` }],
  ['for nobody in particular', { aud: undefined }],
  ['that has expired', { exp: now - 3600 }],
  ['that never expires', { exp: undefined }],
  ['that is not valid yet', { nbf: now + 3600 }],
  ['without a subject', { sub: undefined }],
  ['without a client', { client_id: undefined }],
  ['of another kind', {}, { typ: 'logout+jwt' }],
  ['that is an ID token, though it names this resource', { at_hash: 'x', azp: 'client-1' }, { typ: 'JWT' }],
  ['that calls itself an ID token', { typ: 'ID', azp: 'client-1' }, { typ: 'JWT' }],
  ['that is bound to a key', { cnf: { jkt: 'x' } }],
])('a token %s opens nothing', async (_what, claims, header) => {
  const { mcp, issuer, house } = await openKnown();
  const token = issuer.accessToken({ ...good, ...claims }, header);
  const answer = await mcp(token);
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain(`resource_metadata="${metadataUrl}"`);
  expect(house.mcpCalls).toEqual([]);
  expect(`${answer.body}${house.log.join('')}`).not.toContain(token);
});

test('an ID token opens nothing at /mcp', async () => {
  const { mcp, issuer, house, browser, hosts } = await openKnown();
  await browser().signIn(ana);
  expect(hosts.calls().some(({ path }) => path === '/token')).toBe(true);
  const idToken = issuer.accessToken({ ...good, aud: 'client-1', nonce: 'n' }, { typ: 'JWT' });
  expect((await mcp(idToken)).status).toBe(401);
  expect(house.mcpCalls).toEqual([]);
});

test('a good token of somebody who has not signed in here is refused in words, whoever’s address it names', async () => {
  const { mcp, issuer, house } = await openKnown();
  const token = issuer.accessToken({ ...good, sub: 'u-stranger', email: ana.email, email_verified: true });
  const answer = await mcp(token);
  expect(answer.status).toBe(403);
  expect(answer.body).toContain(`${publicUrl}/sign-in`);
  expect(house.mcpCalls).toEqual([]);
});

test.each<[string, Record<string, unknown>, string[]]>([
  ['scopes of ours among others', { scope: 'openid propose email' }, ['propose']],
  ['no scope at all', { scope: undefined }, ['read']],
  ['scopes as a list', { scope: undefined, scp: ['read', 'admin'] }, ['read']],
])('a token with %s may no more than it says', async (_what, claims, scopes) => {
  const { mcp, issuer, house } = await openKnown();
  expect((await mcp(issuer.accessToken({ ...good, ...claims }))).status).toBe(200);
  expect(house.mcpCalls.map((agent) => agent.scopes)).toEqual([scopes]);
});

test.each(['', 'openid email', 'READ', 'readpropose'])(
  'a token with the scope "%s" may nothing',
  async (scope) => {
    const { mcp, issuer, house } = await openKnown();
    const answer = await mcp(issuer.accessToken({ ...good, scope }));
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"');
    expect(house.mcpCalls).toEqual([]);
  },
);

test('an access token opens no page and decides nothing', async () => {
  const { house, issuer } = await openKnown();
  const authorization = `Bearer ${issuer.accessToken(good)}`;
  const headers = { host: 'bridge.example.com', authorization };
  for (const path of ['/', '/history', '/connections', '/api/v1/integrations']) {
    expect((await house.ask(path, { headers })).status).toBe(401);
  }
});

test('a removed member’s tokens open nothing any more, however long they live', async () => {
  const { mcp, issuer, members, house, browser } = await openKnown();
  await members.add(house.org.orgId, { email: ben.email, name: 'Ben', role: 'member' });
  await browser().signIn(ben);
  const token = issuer.accessToken({ ...good, sub: ben.subject });
  expect((await mcp(token)).status).toBe(200);
  await members.remove(house.org.orgId, ben.email);
  expect((await mcp(token)).status).toBe(403);
});

test('two people, or two clients of one person, are two agents; one token after another is the same', async () => {
  const { mcp, issuer, members, house, browser } = await openKnown();
  await members.add(house.org.orgId, { email: ben.email, name: 'Ben', role: 'member' });
  await browser().signIn(ben);
  for (const claims of [{}, {}, { client_id: 'cursor' }, { sub: ben.subject }]) {
    expect((await mcp(issuer.accessToken({ ...good, ...claims }))).status).toBe(200);
  }
  const [first, second, ...others] = house.mcpCalls.map((agent) => agent.agentId);
  expect(second).toBe(first);
  expect(new Set([first, ...others]).size).toBe(3);
});

test('an API key opens /mcp beside it', async () => {
  const { mcp, house } = await openScene();
  expect((await mcp(await house.key())).status).toBe(200);
  expect((await mcp('dbk_wrong')).status).toBe(401);
});

test('a new key of the issuer is fetched when a token names it; forged ones cause one call in half a minute', async () => {
  const { mcp, issuer, hosts, clock } = await openKnown();
  const asked = () => hosts.calls().filter(({ path }) => path === '/keys').length;
  expect((await mcp(issuer.accessToken(good))).status).toBe(200);
  expect(asked()).toBe(1);
  for (let forged = 0; forged < 20; forged += 1) {
    const token = issuer.accessToken(good, { kid: `made-up-${forged}` });
    expect((await mcp(token)).status).toBe(401);
  }
  expect(asked()).toBe(1);
  issuer.rotateKeys();
  clock.advance(30_000);
  expect((await mcp(issuer.accessToken(good))).status).toBe(200);
  expect(asked()).toBe(2);
});

test('an issuer that gives no keys for a while signs nobody out; after an hour its old keys are not taken', async () => {
  const { mcp, issuer, hosts, clock } = await openKnown();
  const token = issuer.accessToken({ ...good, exp: now + 24 * 3600 });
  expect((await mcp(token)).status).toBe(200);
  const down = () => hosts.faults.failNext({ kind: 'refuse', status: 404 }, '/keys');
  clock.advance(10 * 60_000);
  down();
  expect((await mcp(token)).status).toBe(200);
  clock.advance(49 * 60_000);
  down();
  expect((await mcp(token)).status).toBe(200);
  clock.advance(60_000);
  down();
  expect((await mcp(token)).status).toBe(502);
  clock.advance(30_000);
  expect((await mcp(token)).status).toBe(200);
});

test('a token that could not be ours causes no call to anybody', async () => {
  const { mcp, issuer, hosts } = await openScene();
  issuer.lie('alg-none');
  await mcp(issuer.accessToken(good));
  await mcp(
    issuer.accessToken({ ...good, iss: 'https://another.example' }, { jku: 'https://evil.example/keys' }),
  );
  expect(hosts.calls().map(({ path }) => path)).toEqual(['/.well-known/openid-configuration']);
});

test('in local mode there is no such address, and no token is looked at', async () => {
  const { openHouse } = await import('./house.ts');
  const house = await openHouse();
  try {
    const answer = await house.ask('/.well-known/oauth-protected-resource/mcp');
    expect(answer.status).toBe(401);
    const refused = await house.ask('/mcp', { method: 'POST', body: '{}' });
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="drawbridge"');
  } finally {
    await house.close();
  }
});
