// Invented providers behind one registered app, `guild` and `ledger`, with the sandbox's authorization server
// and a small API behind them; and a person who goes the way through the consent page.
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AuthorizationOptions, AuthorizationServer } from '../../sandbox/authorization.ts';
import { createAuthorizationServer } from '../../sandbox/authorization-server.ts';
import { consent } from '../../sandbox/person.ts';
import { type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import type { Person } from '../../src/auth/principal.ts';
import type { Clock } from '../../src/clock.ts';
import type { AppCredentials } from '../../src/config.ts';
import { newBrowserToken } from '../../src/connections/connect/state.ts';
import type { AuthorizationStart, Connection } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { mailSend } from '../../src/providers/capabilities.ts';
import { defineProvider, type Provider, readOperation, writeOperation } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { Secret } from '../../src/secret.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { entryOf } from './agency.ts';
import { type Office, openOffice } from './office.ts';

const login = 'login.guild.example';
const api = 'api.guild.example';
export const guildApp = { clientId: 'drawbridge-at-guild', clientSecret: 'a-secret-of-the-guild-app' };
export const redirectUri = 'http://localhost:7331/api/v1/integrations/guild/callback';

export function guildProvider(id = 'guild'): Provider {
  return defineProvider({
    id,
    title: id === 'guild' ? 'Guild' : 'Guild Ledger',
    fields: z.strictObject({ hall: z.string().optional().describe('Which hall of the guild') }),
    learned: {
      realm: { from: 'callback', as: 'realmId', description: 'Number of the company' },
      seat: { from: 'token', description: 'Where the account is kept' },
      town: { from: 'probe', description: 'Town of the hall' },
    },
    secrets: [],
    auth: {
      kind: 'oauth2',
      app: 'guild',
      authorizeUrl: `https://${login}/authorize`,
      tokenUrl: `https://${login}/token`,
      revocation: { url: `https://${login}/revoke`, token: 'refresh', body: 'form' },
      issuer: `https://${login}`,
      pkce: 'S256',
      clientAuthentication: 'body',
      scopes: ['profile'],
      accessToken: { readFrom: 'answer' },
      refreshToken: { rotation: 'always', lifetime: { seconds: 90 * 86_400 } },
      registration: ['Open guild.example/apps and make an app.', 'Enter {redirectUrl} as redirect URL.'],
    },
    http: { baseUrl: `https://${api}` },
    probe: async (context) => ({ town: (await me(context)).town }),
    async identity(context) {
      const { account } = await me(context);
      return { id: account, label: account };
    },
    operations: {
      roll: readOperation({
        effect: 'read',
        title: 'Read the roll',
        scopes: ['roll.read'],
        input: z.object({}),
        run: (context) => me(context),
      }),
      send: writeOperation({
        effect: 'send',
        version: 1,
        title: 'Send a letter',
        scopes: ['letters.send'],
        input: mailSend,
        idempotency: 'none',
        summary: (mail) => mail.subject,
        async run(context) {
          await context.aboutToSend();
          return { reference: context.effectKey, details: {} };
        },
      }),
    },
    capabilities: { 'mail.send': 'send' },
    feeds: {
      letters: {
        kinds: ['mail'],
        scopes: ['letters.read'],
        async *pages(context) {
          await me(context);
          yield { records: [], deleted: [], cursor: 1 };
        },
      },
    },
    limit: { perSecond: 100, burst: 100, concurrent: 4 },
  });
}

async function me(
  context: Parameters<Provider['identity']>[0],
): Promise<{ account: string; town: string; realm: unknown }> {
  const answer = await context.fetch(`https://${api}/me`);
  if (answer.status === 401) throw new DrawbridgeError('auth_expired', 'The guild knows no such token.');
  if (!answer.ok) throw new DrawbridgeError('provider_unavailable', 'The guild is failing.');
  const told = z.object({ account: z.string(), town: z.string() }).parse(await answer.json());
  return { ...told, realm: context.fields['realm'] };
}

export interface Guild {
  hosts: ProviderHosts;
  server: AuthorizationServer;
  /** Who signs in at the guild. */
  account: string;
  /** What `/me` answers beside it. */
  failing: boolean;
}

export async function guildHosts(clock: Clock, given: Partial<AuthorizationOptions> = {}): Promise<Guild> {
  const server = createAuthorizationServer(
    {
      authorizePath: '/authorize',
      tokenPath: '/token',
      revokePath: '/revoke',
      app: guildApp,
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 3_600,
      rotation: 'always',
      issuer: `https://${login}`,
      callbackExtras: { realmId: '4711' },
      answerExtras: { seat: 'north' },
      ...given,
    },
    clock,
  );
  const hosts = await startProviderHosts([
    {
      provider: 'guild',
      hosts: [login, api],
      handle(call) {
        const answer = server.handle(call);
        if (answer !== undefined) return answer;
        if (server.scopesOf(call.headers['authorization']) === undefined) return { status: 401, body: '{}' };
        if (guild.failing) return { status: 418 };
        return { status: 200, body: JSON.stringify({ account: guild.account, town: 'Lübeck' }) };
      },
    },
  ]);
  const guild: Guild = { hosts, server, account: 'maria@guild.example', failing: false };
  return guild;
}

export const guildApps: ReadonlyMap<string, AppCredentials> = new Map([
  [
    'guild',
    {
      clientId: guildApp.clientId,
      clientSecret: new Secret(guildApp.clientSecret),
      webhookSecret: undefined,
    },
  ],
]);

export const guildCatalog: readonly CatalogEntry[] = ['guild', 'ledger'].map((id) => ({
  ...entryOf(guildProvider(id)),
  app: 'guild',
}));

export async function newPerson(store: Store, org: OrgStore, name: string): Promise<Person> {
  const memberId = newId('mbr', Date.UTC(2026, 0, 1));
  await store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({ org_id: org.orgId, id: memberId, email: null, name, role: 'member', created_at: 0 })
      .execute(),
  );
  return { kind: 'person', orgId: org.orgId, memberId, name };
}

export interface GuildOffice extends Office {
  guild: Guild;
  person: Person;
  browser: Secret;
  start(more?: Partial<AuthorizationStart>): Promise<{ url: string; expiresAt: number }>;
  /** Comes back from the provider with what its page sent the browser to. */
  back(
    callback: URL,
    more?: { person?: Person; browser?: Secret | undefined; provider?: string },
  ): Promise<Connection>;
  /** The whole way, through the consent page. */
  connect(
    more?: Partial<AuthorizationStart>,
    given?: { press?: 'allow' | 'deny'; scopes?: readonly string[] },
  ): Promise<Connection>;
  consent(url: string, given?: { press?: 'allow' | 'deny'; scopes?: readonly string[] }): Promise<URL>;
  moves(id?: string): Promise<string[]>;
}

export async function openGuild(
  given: Parameters<typeof openOffice>[1] & { authorization?: Partial<AuthorizationOptions> } = {},
): Promise<GuildOffice> {
  // The sandbox reads the clock of the office, which is there a moment later.
  let clock: Clock | undefined;
  const late = { now: () => (clock as Clock).now(), elapsed: () => 0, sleep: async () => undefined };
  const guild = await guildHosts(late, given.authorization);
  onTestFinished(() => guild.hosts.close());
  const office = await openOffice(guildCatalog, {
    sandboxUrl: guild.hosts.url,
    ...given,
    options: { apps: guildApps, ...given.options },
  });
  clock = office.clock;
  const { connections, org, store } = office;
  const person = await newPerson(store, org, 'Maria');
  const browser = newBrowserToken();
  const house: GuildOffice = {
    ...office,
    guild,
    person,
    browser,
    start: (more = {}) =>
      connections.authorize(org, person, {
        provider: 'guild',
        fields: {},
        access: 'write',
        via: 'api',
        redirectUri,
        browser,
        ...more,
      }),
    back: (callback, more = {}) =>
      connections.authorized(org, more.person ?? person, {
        provider: more.provider ?? 'guild',
        callback,
        browser: 'browser' in more ? more.browser : browser,
      }),
    consent: (url, pressed) => consent(url, guild.hosts.url, pressed),
    async connect(more = {}, pressed = {}) {
      const { url } = await house.start(more);
      return house.back(await house.consent(url, pressed), { provider: more.provider ?? 'guild' });
    },
    async moves(id) {
      const rows = await org.read((db) =>
        db.selectFrom('connection_events').selectAll().orderBy('at').execute(),
      );
      return rows
        .filter((row) => id === undefined || row.connection_id === id)
        .map((row) => `${row.from_state} → ${row.to_state}`);
    },
  };
  return house;
}
