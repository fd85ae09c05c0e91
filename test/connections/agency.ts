// An invented provider, `agency`, with a real server behind it: it tells who a token belongs to, looks up a
// listing and sends mail. What the server answers is the test's to say.
import { z } from 'zod';
import { DrawbridgeError } from '../../src/errors.ts';
import { type Listing, listingGet, mailSend } from '../../src/providers/capabilities.ts';
import { defineProvider, type Provider, readOperation, writeOperation } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { provider as files } from '../../src/providers/files.ts';
import { serve, type Wire } from '../egress/wire.ts';

export interface Agency extends Wire {
  /** Token → the account that it opens. */
  accounts: Map<string, string>;
  /** What everything but `/me` answers; undefined: nothing, for ever. */
  listing: () => { status: number; body: unknown } | undefined;
}

export async function agencyServer(): Promise<Agency> {
  const state: Pick<Agency, 'accounts' | 'listing'> = {
    accounts: new Map([['token-one', 'maria@example.com']]),
    listing: () => ({ status: 200, body: { id: '1', address: '1 Quay' } }),
  };
  const wire = await serve((request, response) => {
    const account = state.accounts.get(String(request.headers.authorization));
    const answer =
      account === undefined
        ? { status: 401, body: {} }
        : request.url === '/me'
          ? { status: 200, body: { account } }
          : state.listing();
    if (answer !== undefined) response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  return Object.assign(state, wire);
}

async function ask(context: Parameters<Provider['identity']>[0], path: string): Promise<unknown> {
  const answer = await context.fetch(`${String(context.fields['url'])}${path}`, {
    headers: { authorization: context.secret('token').reveal() },
  });
  if (answer.status === 401)
    throw new DrawbridgeError('auth_expired', 'The agency does not accept the token.');
  if (answer.status === 403) throw new DrawbridgeError('permission_denied', 'The agency says no.');
  if (answer.status === 404) throw new DrawbridgeError('not_found', 'The agency knows no such listing.');
  if (!answer.ok) throw new DrawbridgeError('provider_unavailable', 'The agency is failing.');
  return answer.json();
}

export function agencyProvider(id = 'agency'): Provider {
  return defineProvider({
    id,
    title: 'Agency',
    fields: z.strictObject({
      url: z.url().describe('Address of the agency'),
      region: z.enum(['north', 'south']).optional(),
    }),
    secrets: [
      { name: 'token', title: 'Token', hint: 'The agency prints it on its cards.' },
      { name: 'pin', title: 'PIN', hint: 'Only for large agencies.', optional: true },
    ],
    example: { url: 'https://agency.example' },
    complete: (given) =>
      given['url'] === undefined && given['region'] === 'north'
        ? { ...given, url: 'https://n.example' }
        : given,
    auth: { kind: 'password' },
    async identity(context) {
      const me = z.object({ account: z.string() }).parse(await ask(context, '/me'));
      return { id: me.account, label: `${me.account} at Agency` };
    },
    operations: {
      get: readOperation({
        effect: 'read',
        title: 'Look up',
        input: listingGet,
        // Whether it is one is the test's to say.
        run: async (context, input) => (await ask(context, `/listing?id=${input.id ?? ''}`)) as Listing,
      }),
      send: writeOperation({
        effect: 'send',
        version: 1,
        title: 'Send',
        input: mailSend,
        idempotency: 'none',
        summary: (mail) => mail.subject,
        async run(context) {
          await context.aboutToSend();
          await context.fetch(`${String(context.fields['url'])}/send`, {
            method: 'POST',
            body: context.effectKey,
          });
          return { reference: context.effectKey, details: {} };
        },
      }),
    },
    capabilities: { 'listing.get': 'get', 'mail.send': 'send' },
    feeds: {
      letters: {
        kinds: ['mail'],
        async *pages(context, cursor) {
          await ask(context, '/me');
          yield { records: [], deleted: [], cursor: Number(cursor ?? 0) + 1 };
        },
      },
    },
    limit: { perSecond: 100, burst: 100, concurrent: 4 },
  });
}

export function entryOf(provider: Provider, connectable = true): CatalogEntry {
  return {
    id: provider.id,
    title: provider.title,
    capabilities: Object.keys(provider.capabilities) as CatalogEntry['capabilities'],
    feedKinds: Object.values(provider.feeds).flatMap(({ kinds }) => kinds),
    connectable,
    app: undefined,
    command: `drawbridge connect ${provider.id}`,
    load: async () => provider,
  };
}

export const agencyCatalog: readonly CatalogEntry[] = [
  entryOf(agencyProvider()),
  entryOf(agencyProvider('branch')),
  entryOf(files, false),
];
