// An invented provider whose grants die when a refresh token is used twice, for the tests of many processes.
import { z } from 'zod';
import type { AppCredentials } from '../../src/config.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { defineProvider, type Provider, readOperation } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { Secret } from '../../src/secret.ts';

export const loginHost = 'login.harbour.example';
export const apiHost = 'api.harbour.example';
export const harbourApp = { clientId: 'drawbridge-at-harbour', clientSecret: 'a-secret-of-the-harbour-app' };

const account = z.object({ account: z.string() });

async function who(context: Parameters<Provider['identity']>[0]): Promise<z.infer<typeof account>> {
  const answer = await context.fetch(`https://${apiHost}/me`);
  if (answer.status === 401) throw new DrawbridgeError('auth_expired', 'The harbour knows no such token.');
  if (!answer.ok) throw new DrawbridgeError('provider_unavailable', `The harbour answers ${answer.status}.`);
  return account.parse(await answer.json());
}

export const harbour = defineProvider({
  id: 'harbour',
  title: 'Harbour',
  fields: z.strictObject({}),
  secrets: [],
  auth: {
    kind: 'oauth2',
    app: 'harbour',
    authorizeUrl: `https://${loginHost}/authorize`,
    tokenUrl: `https://${loginHost}/token`,
    revocation: { url: `https://${loginHost}/revoke`, token: 'refresh', body: 'form' },
    pkce: 'S256',
    clientAuthentication: 'basic',
    scopes: ['berths.read'],
    accessToken: { readFrom: 'answer' },
    refreshToken: { rotation: 'always', lifetime: 'endless' },
    registration: ['Open harbour.example/apps.'],
  },
  http: { baseUrl: `https://${apiHost}` },
  identity: async (context) => {
    const me = await who(context);
    return { id: me.account, label: me.account };
  },
  operations: {
    berths: readOperation({ effect: 'read', title: 'Berths', input: z.strictObject({}), run: who }),
  },
  capabilities: {},
  feeds: {},
  limit: { perSecond: 1_000, burst: 1_000, concurrent: 16 },
});

export const harbourCatalog: readonly CatalogEntry[] = [
  {
    id: 'harbour',
    title: 'Harbour',
    capabilities: [],
    feedKinds: [],
    connectable: true,
    app: 'harbour',
    command: 'drawbridge connect harbour',
    load: async () => harbour,
  },
];

export const harbourApps: ReadonlyMap<string, AppCredentials> = new Map([
  [
    'harbour',
    {
      clientId: harbourApp.clientId,
      clientSecret: new Secret(harbourApp.clientSecret),
      webhookSecret: undefined,
    },
  ],
]);
