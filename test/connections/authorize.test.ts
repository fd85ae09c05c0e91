// Connecting in a browser, from the question to the stored account, against an authorization server that
// holds us to the rules.
import { describe, expect, test } from 'vitest';
import { createOAuth } from '../../src/auth/oauth/create.ts';
import { newBrowserToken } from '../../src/connections/connect/state.ts';
import { createConnections } from '../../src/connections/create.ts';
import { loadSecrets } from '../../src/connections/credentials.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { toJson } from '../../src/store/codec.ts';
import {
  type GuildOffice,
  guildApp,
  guildApps,
  guildCatalog,
  newPerson,
  openGuild,
  redirectUri,
} from './guild.ts';
import { log } from './office.ts';

const minute = 60_000;

async function storedStates({ store }: GuildOffice) {
  return store.control.read((db) => db.selectFrom('oauth_states').selectAll().execute());
}

describe('the way to the provider', () => {
  test('asks for exactly what is needed: PKCE, the registered redirect, the scopes of what may be used', async () => {
    const office = await openGuild();
    const { url, expiresAt } = await office.start();
    const asked = Object.fromEntries(new URL(url).searchParams);
    expect(new URL(url).origin + new URL(url).pathname).toBe('https://login.guild.example/authorize');
    expect(asked).toMatchObject({
      client_id: guildApp.clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge_method: 'S256',
      scope: 'profile letters.read roll.read letters.send',
    });
    expect(asked['state']).toMatch(/^[\w-]{43}$/);
    expect(expiresAt).toBe(office.clock.now() + 10 * minute);
  });

  test('read-only access asks for no scope of a write', async () => {
    const { url } = await (await openGuild()).start({ access: 'read' });
    expect(new URL(url).searchParams.get('scope')).toBe('profile letters.read roll.read');
  });

  test('a setting that was left empty counts as not given', async () => {
    const office = await openGuild();
    expect((await office.connect({ fields: { hall: '' } })).fields).not.toHaveProperty('hall');
  });

  test('neither state, nor verifier, nor what was given stands in the database in clear', async () => {
    const office = await openGuild();
    const { url } = await office.start({ fields: { hall: 'a-hall-of-note' } });
    const state = new URL(url).searchParams.get('state') ?? '';
    const [row] = await storedStates(office);
    const text = JSON.stringify({ ...row, request: Buffer.from(row?.request ?? []).toString('latin1') });
    for (const word of [state, office.browser.reveal(), 'a-hall-of-note', 'codeVerifier'])
      expect(text).not.toContain(word);
  });

  test('stands in the list as being authorised, and is gone when nobody comes back in time', async () => {
    const office = await openGuild();
    await office.start();
    const [begun] = await office.connections.list(office.org);
    expect(begun).toMatchObject({ state: 'AUTHORIZING', account: '', label: 'Guild, not finished' });
    office.clock.advance(10 * minute);
    await office.start();
    expect((await office.connections.list(office.org)).map(({ id }) => id)).not.toContain(begun?.id);
    expect(await office.moves(begun?.id)).toEqual([
      'null → PENDING',
      'PENDING → AUTHORIZING',
      'AUTHORIZING → REVOKED',
      'REVOKED → DELETED',
    ]);
  });

  test('who begins again leaves one beginning, and either way back is good', async () => {
    const office = await openGuild();
    const first = await office.consent((await office.start()).url);
    office.guild.account = 'jo@guild.example';
    const second = await office.consent((await office.start()).url);
    expect((await office.connections.list(office.org)).map(({ state }) => state)).toEqual(['AUTHORIZING']);
    expect((await office.back(second)).account).toBe('jo@guild.example');
    office.guild.account = 'maria@guild.example';
    expect((await office.back(first)).account).toBe('maria@guild.example');
    expect((await office.connections.list(office.org)).map(({ state }) => state)).toEqual([
      'ACTIVE',
      'ACTIVE',
    ]);
  });

  test('a beginning that was denied takes nothing from the one beside it', async () => {
    const office = await openGuild();
    const first = await office.consent((await office.start()).url);
    await expect(office.connect({}, { press: 'deny' })).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await office.back(first)).state).toBe('ACTIVE');
  });

  test('a provider of forms, an unknown setting and a missing MCP server are refused by name', async () => {
    const office = await openGuild();
    await expect(office.start({ fields: { colour: 'red' } })).rejects.toMatchObject({ field: 'colour' });
    await expect(office.start({ via: 'mcp' })).rejects.toMatchObject({ field: 'via' });
    await expect(office.start({ provider: 'fax' })).rejects.toMatchObject({ code: 'not_found' });
    expect(await office.connections.list(office.org)).toEqual([]);
  });
});

describe('the way back', () => {
  test('stores the account as ACTIVE with what callback, token answer and probe taught', async () => {
    const office = await openGuild();
    const made = await office.connect({ fields: { hall: 'west' } });
    expect(made).toMatchObject({
      provider: 'guild',
      account: 'maria@guild.example',
      state: 'ACTIVE',
      fields: { hall: 'west', realm: '4711', seat: 'north', town: 'Lübeck' },
      scopes: ['profile', 'letters.read', 'roll.read', 'letters.send'],
      mcpServerUrl: undefined,
    });
    expect(await office.connections.list(office.org)).toEqual([made]);
    expect(await office.moves(made.id)).toEqual([
      'null → PENDING',
      'PENDING → AUTHORIZING',
      'AUTHORIZING → CONNECTED',
      'CONNECTED → ACTIVE',
    ]);
    const tokens = await office.org.read((db) => db.selectFrom('oauth_tokens').selectAll().execute());
    expect(tokens).toEqual([
      expect.objectContaining({
        connection_id: made.id,
        version: 1,
        access_expires_at: office.clock.now() + 3_600_000,
        refresh_expires_at: office.clock.now() + 90 * 86_400_000,
      }),
    ]);
    const secrets = await loadSecrets(office.org, office.vault, made.id);
    expect([...secrets.keys()].sort()).toEqual(['access_token', 'refresh_token']);
    expect(office.guild.server.scopesOf(`Bearer ${secrets.get('access_token')?.reveal()}`)).toHaveLength(4);
  });

  test('is good once', async () => {
    const office = await openGuild();
    const callback = await office.consent((await office.start()).url);
    await office.back(callback);
    await expect(office.back(callback)).rejects.toMatchObject({ code: 'invalid_request', field: 'state' });
    expect(office.guild.server.tokenCalls()).toHaveLength(1);
  });

  test('two who come back with one state at once: one is served', async () => {
    const office = await openGuild();
    const callback = await office.consent((await office.start()).url);
    const both = await Promise.allSettled([office.back(callback), office.back(callback)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(office.guild.server.tokenCalls()).toHaveLength(1);
  });

  test.each([
    [
      'another person of the org',
      async (o: GuildOffice) => ({ person: await newPerson(o.store, o.org, 'Ben') }),
    ],
    ['another browser', async () => ({ browser: newBrowserToken() })],
    ['a browser without the cookie', async () => ({ browser: undefined })],
  ])('%s is refused, and the state is spent (login CSRF, session fixation)', async (_who, other) => {
    const office = await openGuild();
    const callback = await office.consent((await office.start()).url);
    await expect(office.back(callback, await other(office))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(office.back(callback)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(office.guild.server.tokenCalls()).toEqual([]);
  });

  test('a member of another org is refused', async () => {
    const office = await openGuild();
    const callback = await office.consent((await office.start()).url);
    const other = await office.store.forOrg(await office.store.createOrg('Other'));
    const person = await newPerson(office.store, other, 'Zoe');
    const { browser } = office;
    await expect(
      office.connections.authorized(other, person, { provider: 'guild', callback, browser }),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await office.connections.list(other)).toEqual([]);
  });

  test.each([
    [
      'ten minutes later',
      (office: GuildOffice, back: URL) => {
        office.clock.advance(10 * minute);
        return back;
      },
    ],
    ['with a state that never was', (_: GuildOffice, back: URL) => changed(back, 'state', 'x'.repeat(43))],
    ['without a state', (_: GuildOffice, back: URL) => changed(back, 'state', undefined)],
  ])('%s nothing is asked of the provider', async (_when, change) => {
    const office = await openGuild();
    const callback = change(office, await office.consent((await office.start()).url));
    await expect(office.back(callback)).rejects.toMatchObject({ code: 'invalid_request', field: 'state' });
    expect(office.guild.server.tokenCalls()).toEqual([]);
  });

  test('to the address of another provider the state is unknown', async () => {
    const office = await openGuild();
    const callback = await office.consent((await office.start()).url);
    await expect(office.back(callback, { provider: 'ledger' })).rejects.toMatchObject({ field: 'state' });
  });

  test('a person who says no is believed, and nothing stays behind', async () => {
    const office = await openGuild();
    await expect(office.connect({}, { press: 'deny' })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await office.connections.list(office.org)).toEqual([]);
    expect(office.guild.server.tokenCalls()).toEqual([]);
    expect((await office.moves()).at(-1)).toBe('REVOKED → DELETED');
  });

  test('an answer of another issuer is refused before the code leaves (mix-up attack)', async () => {
    const office = await openGuild();
    office.guild.server.next('wrong-issuer');
    await expect(office.connect()).rejects.toMatchObject({ code: 'invalid_request' });
    expect(office.guild.server.tokenCalls()).toEqual([]);
    expect(await office.connections.list(office.org)).toEqual([]);
  });

  test('an account that cannot be read is not stored', async () => {
    const office = await openGuild();
    office.guild.failing = true;
    await expect(office.connect()).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(await office.connections.list(office.org)).toEqual([]);
    expect(await office.org.read((db) => db.selectFrom('secrets').selectAll().execute())).toEqual([]);
  });
});

function changed(url: URL, name: string, value: string | undefined): URL {
  const next = new URL(url);
  if (value === undefined) next.searchParams.delete(name);
  else next.searchParams.set(name, value);
  return next;
}

async function expire({ connections, org }: GuildOffice, id: string): Promise<void> {
  await connections.report(org, id, { error: new DrawbridgeError('auth_revoked', 'The grant is gone.') });
}

describe('connecting again', () => {
  test('the same account keeps its id, takes the new tokens, and its version grows', async () => {
    const office = await openGuild();
    const first = await office.connect({ access: 'read' });
    expect(first.scopes).not.toContain('letters.send');
    const again = await office.connect({ access: 'write' });
    expect(again.id).toBe(first.id);
    expect(again.scopes).toContain('letters.send');
    expect(await office.connections.list(office.org)).toHaveLength(1);
    const [tokens] = await office.org.read((db) => db.selectFrom('oauth_tokens').selectAll().execute());
    expect(tokens?.version).toBe(2);
  });

  test('an expired account is AUTHORIZING while the person is away, and ACTIVE when back', async () => {
    const office = await openGuild();
    const first = await office.connect();
    await expire(office, first.id);
    const { url } = await office.start({ reconnect: first.id });
    expect((await office.connections.get(office.org, first.id)).state).toBe('AUTHORIZING');
    const back = await office.back(await office.consent(url));
    expect(back).toMatchObject({ id: first.id, state: 'ACTIVE', lastError: undefined });
    expect((await office.moves(first.id)).slice(-4)).toEqual([
      'ACTIVE → EXPIRED',
      'EXPIRED → AUTHORIZING',
      'AUTHORIZING → CONNECTED',
      'CONNECTED → ACTIVE',
    ]);
  });

  test('one that was not finished has expired again, and what still worked goes on working', async () => {
    const office = await openGuild();
    const first = await office.connect();
    const { url: left } = await office.start({ reconnect: first.id });
    expect((await office.connections.get(office.org, first.id)).state).toBe('ACTIVE');
    await expect(office.back(await office.consent(left, { press: 'deny' }))).rejects.toThrow();
    expect((await office.connections.get(office.org, first.id)).state).toBe('ACTIVE');
    await expire(office, first.id);
    const { url } = await office.start({ reconnect: first.id });
    await expect(office.back(await office.consent(url, { press: 'deny' }))).rejects.toThrow();
    expect((await office.connections.get(office.org, first.id)).state).toBe('EXPIRED');
  });

  test('another account than the one that was meant is said, and put in nobody’s place', async () => {
    const office = await openGuild();
    const maria = await office.connect();
    const before = await loadSecrets(office.org, office.vault, maria.id);
    office.guild.account = 'ben@guild.example';
    const refused = office.connect({ reconnect: maria.id });
    await expect(refused).rejects.toMatchObject({ code: 'conflict', field: 'account' });
    await expect(refused).rejects.toThrow(
      /maria@guild\.example was to be connected again.*ben@guild\.example/,
    );
    expect(await office.connections.list(office.org)).toEqual([maria]);
    const after = await loadSecrets(office.org, office.vault, maria.id);
    expect(after.get('access_token')?.reveal()).toBe(before.get('access_token')?.reveal());
  });

  test('another account as an account of its own is another connection', async () => {
    const office = await openGuild();
    const maria = await office.connect();
    office.guild.account = 'ben@guild.example';
    const ben = await office.connect();
    expect(ben.id).not.toBe(maria.id);
    expect(await office.connections.list(office.org)).toHaveLength(2);
  });

  test('an account of another provider, or none, cannot be connected again', async () => {
    const office = await openGuild();
    const maria = await office.connect();
    for (const wrong of [{ provider: 'ledger', reconnect: maria.id }, { reconnect: 'con_nobody' }]) {
      await expect(office.start(wrong)).rejects.toMatchObject({ code: 'not_found', field: 'account' });
    }
  });

  test('an answer without a refresh token keeps the one before', async () => {
    const office = await openGuild();
    const made = await office.connect();
    const kept = (await loadSecrets(office.org, office.vault, made.id)).get('refresh_token');
    const oauth = createOAuth({ clock: office.clock });
    const connections = createConnections({
      ...office,
      log,
      catalog: guildCatalog,
      apps: guildApps,
      oauth: {
        ...oauth,
        exchange: async (grant, given) => ({
          ...(await oauth.exchange(grant, given)),
          refreshToken: undefined,
        }),
      },
    });
    const { url } = await office.start({ reconnect: made.id });
    const callback = await office.consent(url);
    await connections.authorized(office.org, office.person, {
      provider: 'guild',
      callback,
      browser: office.browser,
    });
    const secrets = await loadSecrets(office.org, office.vault, made.id);
    expect(secrets.get('refresh_token')?.reveal()).toBe(kept?.reveal());
  });
});

describe('what was granted', () => {
  test('a write without its scope is refused with the way to connect again, before it is proposed', async () => {
    const office = await openGuild();
    const made = await office.connect({}, { scopes: ['profile', 'roll.read', 'letters.read'] });
    const refused = office.connections.write(office.org, made, 'send');
    await expect(refused).rejects.toMatchObject({ code: 'permission_denied', retry: 'reconnect' });
    await expect(refused).rejects.toThrow(
      `"Send a letter". A person connects it again with that permission: /connect/guild?account=${made.id}&access=write`,
    );
  });

  test('a write with its scope is found', async () => {
    const office = await openGuild();
    const made = await office.connect();
    expect(await office.connections.write(office.org, made, 'send')).toMatchObject({ effect: 'send' });
  });

  test('a feed without its scope is left out of a sync, and the others are not', async () => {
    const office = await openGuild();
    const made = await office.connect({}, { scopes: ['profile'] });
    expect(await office.connections.feeds(office.org, made)).toEqual([]);
    const again = await office.connect({}, { scopes: ['profile', 'letters.read'] });
    expect((await office.connections.feeds(office.org, again)).map(({ name }) => name)).toEqual(['letters']);
  });
});

describe('an account that is only to be read', () => {
  test('has no write, whatever scopes the provider granted, and says how to permit it', async () => {
    const office = await openGuild();
    const made = await office.connect({ access: 'read' });
    expect(made).toMatchObject({ access: 'read', capabilities: [] });
    // A provider where reading and writing share a scope grants it all the same.
    await office.org.write((tx) =>
      tx
        .updateTable('oauth_tokens')
        .set({ scopes: toJson(['profile', 'roll.read', 'letters.send', 'letters.read']) })
        .execute(),
    );
    await expect(office.connections.write(office.org, made, 'send')).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('access=write'),
    });
    const { operations } = await office.connections.operations(office.org);
    expect(operations.map(({ name, granted }) => [name, granted])).toEqual([
      ['roll', true],
      ['send', false],
    ]);
    await expect(office.connections.resolve(office.org, 'mail.send')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('may be written to once a person connects it again with that permission', async () => {
    const office = await openGuild();
    const made = await office.connect({ access: 'read' });
    const again = await office.connect({ access: 'write', reconnect: made.id });
    expect(again).toMatchObject({ id: made.id, access: 'write', capabilities: ['mail.send'] });
    expect((await office.connections.write(office.org, again, 'send')).title).toBe('Send a letter');
  });
});

describe('an account that is connected anew after it was disconnected', () => {
  test('takes back what it left in memory, so that nothing is there twice', async () => {
    const office = await openGuild();
    const first = await office.connect();
    await addDocument(office, first.id);
    await office.connections.disconnect(office.org, first.id);
    const second = await office.connect();
    expect(second.id).not.toBe(first.id);
    const rows = await office.org.read((db) =>
      db.selectFrom('source_documents').select(['id', 'connection_id']).execute(),
    );
    expect(rows.map((row) => ({ ...row }))).toEqual([{ id: 'doc_1', connection_id: second.id }]);
  });

  test('another account of the provider takes nothing', async () => {
    const office = await openGuild();
    const first = await office.connect();
    await addDocument(office, first.id);
    await office.connections.disconnect(office.org, first.id);
    office.guild.account = 'ben@guild.example';
    await office.connect();
    const rows = await office.org.read((db) =>
      db.selectFrom('source_documents').select('connection_id').execute(),
    );
    expect(rows[0]?.connection_id).toBe(first.id);
  });
});

test('a grant that came for nothing is ended at the provider, unless another account lives on it', async () => {
  const office = await openGuild();
  office.guild.failing = true;
  await expect(office.connect()).rejects.toThrow();
  const revoked = () => office.guild.hosts.calls().filter(({ path }) => path === '/revoke').length;
  expect(revoked()).toBe(1);
  office.guild.failing = false;
  await office.connect();
  office.guild.failing = true;
  await expect(office.connect()).rejects.toThrow();
  expect(revoked()).toBe(1);
});

async function addDocument({ org }: GuildOffice, connectionId: string): Promise<void> {
  await org.write((tx) =>
    tx
      .insertInto('source_documents')
      .values({
        org_id: org.orgId,
        id: 'doc_1',
        connection_id: connectionId,
        provider: 'guild',
        kind: 'mail',
        external_id: 'x',
        title: '',
        text: '',
        raw: new Uint8Array(),
        media_type: 'text/plain',
        people: '[]',
        thread_id: null,
        url: null,
        language: null,
        trust: 'untrusted',
        readers: null,
        written_at: null,
        fetched_at: 0,
        verified_at: 0,
        content_hash: '',
        facts: '{}',
        deleted_at: null,
      })
      .execute(),
  );
}

describe('the registered app', () => {
  const none = { options: { apps: new Map() } };

  test('without one the provider is listed as not configured, and nothing is asked', async () => {
    const office = await openGuild(none);
    expect(await office.connections.offers(office.org)).toEqual([
      expect.objectContaining({ id: 'guild', status: 'not-configured', way: 'browser', app: 'guild' }),
      expect.objectContaining({ id: 'ledger', status: 'not-configured' }),
    ]);
    await expect(office.start()).rejects.toMatchObject({ code: 'not_found', field: 'app' });
    expect(await office.connections.list(office.org)).toEqual([]);
  });

  test('one that a person entered serves all providers of it, and its secret is sealed', async () => {
    const office = await openGuild(none);
    const { clientId, clientSecret } = guildApp;
    await office.connections.registerApp(office.org, 'guild', {
      clientId,
      clientSecret: new Secret(clientSecret),
    });
    expect((await office.connections.offers(office.org)).map(({ status }) => status)).toEqual([
      'available',
      'available',
    ]);
    const [row] = await office.org.read((db) => db.selectFrom('provider_apps').selectAll().execute());
    expect(Buffer.from(row?.sealed ?? []).includes(clientSecret)).toBe(false);
    expect(await office.connect()).toMatchObject({ state: 'ACTIVE' });
    expect(await office.connect({ provider: 'ledger' })).toMatchObject({ state: 'ACTIVE' });
  });

  test('that of the environment comes first', async () => {
    const office = await openGuild();
    await office.connections.registerApp(office.org, 'guild', { clientId: 'another' });
    const { url } = await office.start();
    expect(new URL(url).searchParams.get('client_id')).toBe(guildApp.clientId);
  });

  test('an app that no provider uses is refused', async () => {
    const office = await openGuild();
    await expect(office.connections.registerApp(office.org, 'fax', { clientId: 'x' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('a provider that is switched off is listed as off, and neither connected nor called', async () => {
    const on = await openGuild();
    const made = await on.connect();
    const connections = createConnections({
      ...on,
      log,
      catalog: guildCatalog,
      apps: guildApps,
      providersOff: ['guild'],
    });
    expect((await connections.offers(on.org)).map(({ status }) => status)).toEqual(['off', 'available']);
    const calls = on.guild.hosts.calls().length;
    await expect(connections.check(on.org, made.id)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(
      connections.authorize(on.org, on.person, {
        provider: 'guild',
        fields: {},
        access: 'read',
        via: 'api',
        redirectUri,
        browser: on.browser,
      }),
    ).rejects.toMatchObject({ code: 'permission_denied' });
    expect(on.guild.hosts.calls()).toHaveLength(calls);
  });
});

describe('the plan', () => {
  async function fill(office: GuildOffice, count: number): Promise<void> {
    for (let one = 0; one < count; one += 1) {
      office.guild.account = `${one}@guild.example`;
      await office.connect();
    }
  }
  const professional = { options: { plan: 'professional' as const } };

  test('a fourth account is refused with the reason; one that is known may come again', async () => {
    const office = await openGuild(professional);
    await fill(office, 3);
    await office.connections.own(office.org, 'files');
    office.guild.account = 'fourth@guild.example';
    const refused = office.connect();
    await expect(refused).rejects.toMatchObject({ code: 'quota_exhausted' });
    await expect(refused).rejects.toThrow('The professional plan has 3 connections');
    // Of a provider without an account here it can only be a new one: refused before the person is sent away.
    await expect(office.start({ provider: 'ledger' })).rejects.toMatchObject({ code: 'quota_exhausted' });
    office.guild.account = '1@guild.example';
    expect(await office.connect()).toMatchObject({ state: 'ACTIVE', account: '1@guild.example' });
    expect((await office.connections.list(office.org)).filter((c) => c.provider !== 'files')).toHaveLength(3);
  });

  test('disconnecting one makes room; files take none', async () => {
    const office = await openGuild(professional);
    await office.connections.own(office.org, 'files');
    await fill(office, 3);
    const one = (await office.connections.list(office.org)).find(({ provider }) => provider === 'guild');
    await office.connections.disconnect(office.org, one?.id ?? '');
    await fill(office, 3);
    expect(await office.connections.list(office.org)).toHaveLength(4);
  });

  test('the org’s own plan comes before the installation’s', async () => {
    const office = await openGuild(professional);
    const set = (name: string, value: unknown) =>
      office.org.write((tx) =>
        tx
          .insertInto('org_settings')
          .values({ org_id: office.org.orgId, name, value: toJson(value), updated_at: 0 })
          .execute(),
      );
    await set('plan', 'team');
    await fill(office, 4);
    expect(await office.connections.list(office.org)).toHaveLength(4);
    await set('connection_limit', 4);
    office.guild.account = 'fifth@guild.example';
    await expect(office.connect()).rejects.toMatchObject({ code: 'quota_exhausted' });
  });

  test('two who come for the last place at once do not both get it', async () => {
    const office = await openGuild(professional);
    await fill(office, 2);
    const first = await office.consent((await office.start()).url);
    const second = await office.consent((await office.start({ provider: 'ledger' })).url);
    office.guild.account = 'late@guild.example';
    const both = await Promise.allSettled([office.back(first), office.back(second, { provider: 'ledger' })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await office.connections.list(office.org)).toHaveLength(3);
  });
});
