// The ways into Notion: by sign-in, with refresh tokens and without, and by a secret that a person pastes, which
// needs no registered app.
import { describe, expect, test } from 'vitest';
import { createNotion, internalSecret, notionApp } from '../../../sandbox/notion/index.ts';
import type { Clock } from '../../../src/clock.ts';
import { newBrowserToken } from '../../../src/connections/connect/state.ts';
import { catalog } from '../../../src/providers/catalog.ts';
import { provider } from '../../../src/providers/notion/index.ts';
import { openProviderWorld } from '../../conformance/provider-world.ts';
import { entryOf } from '../../connections/agency.ts';
import { openGuildHouse } from '../../http/guild-house.ts';

const [entry] = catalog.filter(({ id }) => id === 'notion');
if (entry === undefined) throw new Error('Notion is not in the catalog');
const notion = entry;

async function openWorld({ refreshes }: { refreshes: boolean }) {
  // The sandbox reads the clock of the world, which is there a moment later.
  let clock: Clock | undefined;
  const late = { now: () => (clock as Clock).now(), elapsed: () => 0, sleep: async () => undefined };
  const sandbox = createNotion({ clock: late, refreshes });
  const world = await openProviderWorld(notion, {
    other: {
      emulators: [sandbox],
      way: { kind: 'browser', ...notionApp, authorization: sandbox.auth },
      fields: {},
      samples: {},
      feeds: {},
    },
  });
  clock = world.clock;
  return { world, sandbox };
}

const tokenCalls = ({ world }: Awaited<ReturnType<typeof openWorld>>) =>
  world.hosts.calls().filter(({ path }) => path === '/v1/oauth/token');

describe('by sign-in', () => {
  test('it is asked as the owner, without scopes; the token by Basic and JSON', async () => {
    const opened = await openWorld({ refreshes: true });
    const { world } = opened;
    const { url } = await world.connections.authorize(
      world.org,
      { kind: 'person', orgId: world.org.orgId, memberId: 'mbr_1', name: 'Maria' },
      {
        provider: 'notion',
        fields: {},
        access: 'write',
        via: 'api',
        redirectUri: 'http://localhost:7331/callback',
        browser: newBrowserToken(),
      },
    );
    const asked = new URL(url);
    expect(asked.origin + asked.pathname).toBe('https://api.notion.com/v1/oauth/authorize');
    expect([...asked.searchParams.keys()].sort()).toEqual([
      'client_id',
      'owner',
      'redirect_uri',
      'response_type',
      'state',
    ]);
    expect(asked.searchParams.get('owner')).toBe('user');
    expect(await world.connect()).toMatchObject({ state: 'ACTIVE', label: 'Tidewell Homes' });
    const [call] = tokenCalls(opened);
    expect(call?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${notionApp.clientId}:${notionApp.clientSecret}`).toString('base64')}`,
    });
    expect(Object.keys(JSON.parse(call?.body ?? '{}') as object).sort()).toEqual([
      'code',
      'grant_type',
      'redirect_uri',
    ]);
  });

  test('without refresh tokens (null) its access goes on for years, and is asked for by nobody', async () => {
    const opened = await openWorld({ refreshes: false });
    const { world, sandbox } = opened;
    const connection = await world.connect();
    const fields = await world.org.read((db) => db.selectFrom('secrets').select('field').execute());
    expect(fields.map(({ field }) => field)).toEqual(['access_token']);
    world.clock.advance(90 * 86_400_000);
    await world.connections.check(world.org, connection.id);
    expect(tokenCalls(opened)).toHaveLength(1);
    // When Notion ends it all the same, only a person can mend that.
    sandbox.auth.revokeAll();
    await expect(world.connections.check(world.org, connection.id)).rejects.toMatchObject({
      retry: 'reconnect',
    });
    expect((await world.connections.get(world.org, connection.id)).state).toBe('EXPIRED');
    expect(tokenCalls(opened)).toHaveLength(1);
  });
});

describe('by a secret that is pasted', () => {
  test('it needs no app, reads and writes, and ends EXPIRED when it is taken no more', async () => {
    const opened = await openWorld({ refreshes: true });
    const { world } = opened;
    const { connections, org } = world;
    const made = await connections.connect(org, 'notion', { fields: {}, secrets: { token: internalSecret } });
    expect(made).toMatchObject({ state: 'ACTIVE', label: 'Tidewell Homes' });
    expect(tokenCalls(opened)).toEqual([]);
    expect(await connections.runRead(org, made, 'search', {})).toEqual({ found: [] });
    expect((await connections.write(org, made, 'create-page')).effect).toBe('create');
    expect(await connections.disconnect(org, made.id)).toMatchObject({
      revoked: false,
      why: expect.stringContaining('stay valid at Notion'),
    });
  });

  test('it is only read where the person wants no more', async () => {
    const { world } = await openWorld({ refreshes: true });
    const { connections, org } = world;
    const given = { fields: {}, secrets: { token: internalSecret }, access: 'read' as const };
    const made = await connections.connect(org, 'notion', given);
    await expect(connections.write(org, made, 'create-page')).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  test('one that Notion refuses connects nothing', async () => {
    const { world } = await openWorld({ refreshes: true });
    const given = { fields: {}, secrets: { token: 'ntn_another' } };
    await expect(world.connections.connect(world.org, 'notion', given)).rejects.toMatchObject({
      code: 'auth_expired',
    });
    expect(await world.connections.list(world.org)).toEqual([]);
  });

  test('without one, and without a browser, it says where to go', async () => {
    const { world } = await openWorld({ refreshes: true });
    for (const secrets of [{}, { token: '' }] as Record<string, string>[]) {
      await expect(
        world.connections.connect(world.org, 'notion', { fields: {}, secrets }),
      ).rejects.toMatchObject({
        message: expect.stringContaining('connected in a browser'),
      });
    }
  });

  test('a sign-in afterwards takes its place', async () => {
    const { world } = await openWorld({ refreshes: true });
    const { connections, org } = world;
    const pasted = await connections.connect(org, 'notion', {
      fields: {},
      secrets: { token: internalSecret },
    });
    const signed = await world.connect();
    expect(signed.id).toBe(pasted.id);
    const fields = await org.read((db) => db.selectFrom('secrets').select('field').execute());
    expect(fields.map(({ field }) => field).sort()).toEqual(['access_token', 'refresh_token']);
    await connections.check(org, signed.id);
  });

  test('it can be pasted on the page where no app is registered yet, and beside the sign-in', async () => {
    const house = await openGuildHouse({
      options: { catalog: [{ ...entryOf(provider), app: 'notion' }], apps: new Map() },
    });
    const browser = await house.signedIn();
    const page = (await browser.get('/connect/notion')).body;
    expect(page).toContain('register an app at Notion');
    expect(page).toContain('name="secret.token"');
    expect(page).toContain('With a secret of your own, without an app');
    // Without the app nobody is sent to Notion; the secret is tried, and refused here.
    const tried = await browser.post('/api/v1/integrations/notion/connect', {
      csrf: browser.csrf,
      'secret.token': 'ntn_another',
    });
    expect(tried.body).toContain('That did not work');
    expect(tried.body).not.toContain('ntn_another');
    const empty = await browser.post('/api/v1/integrations/notion/connect', {
      csrf: browser.csrf,
      'secret.token': '',
    });
    expect(empty.headers.location).toBe('/connect/notion');
  });
});
