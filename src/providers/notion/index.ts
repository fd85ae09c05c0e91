// Notion by its API: pages and databases that are shared with the integration, found, read as markdown, kept in
// memory and written to.
import { z } from 'zod';
import { defineProvider, type ProviderContext } from '../define.ts';
import { send } from '../request.ts';
import { append, removeBlocks } from './append.ts';
import { createPage } from './create.ts';
import { getDatabase, queryDatabase } from './databases.ts';
import { pageFeed } from './feed.ts';
import { http } from './http.ts';
import { readBlock, readPage, search } from './reads.ts';
import { self } from './shapes.ts';
import { restorePage, trashPage } from './trash.ts';
import { webhook } from './webhook.ts';

export const provider = defineProvider({
  id: 'notion',
  title: 'Notion',
  fields: z.object({}),
  secrets: [
    {
      name: 'token',
      title: 'Internal integration secret',
      hint: 'In place of the sign-in, for your own workspace: notion.so/profile/integrations → New integration, type "Internal", then copy its secret, and give it pages under "Access".',
      optional: true,
    },
  ],
  auth: {
    kind: 'oauth2',
    app: 'notion',
    pasted: 'token',
    authorizeUrl: 'https://api.notion.com/v1/oauth/authorize',
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    revocation: { url: 'https://api.notion.com/v1/oauth/revoke', token: 'access', body: 'json' },
    pkce: 'not-supported',
    clientAuthentication: 'basic',
    bodyKind: 'json',
    // What it may do is set on the integration: there are no scopes.
    scopes: [],
    rename: { scope: null },
    authorizeParameters: { owner: 'user' },
    // Neither is told: a token is renewed when Notion refuses it. Integrations without refresh tokens get null for
    // one, and their access never ends.
    accessToken: { readFrom: 'answer' },
    refreshToken: { rotation: 'sometimes', lifetime: 'endless' },
    registration: [
      'Open https://www.notion.so/profile/integrations → New integration, type "Public".',
      'Enter {redirectUrl} as its redirect URI, exactly so.',
      'Capabilities: "Read content"; for what you approve also "Insert content" and "Update content"; "Read user information including email addresses" names people.',
      'Copy the OAuth client ID and the OAuth client secret.',
      'When you connect, choose the pages that Drawbridge may see; pages below them are seen, too. More are added in Notion: ••• → Connections.',
    ],
  },
  http,
  identity,
  operations: {
    search,
    'get-page': readPage,
    'get-block': readBlock,
    'get-database': getDatabase,
    'query-database': queryDatabase,
    'create-page': createPage,
    'append-text': append,
    'remove-blocks': removeBlocks,
    'trash-page': trashPage,
    'restore-page': restorePage,
  },
  capabilities: {},
  feeds: { pages: pageFeed },
  webhook,
  // "An average of three requests per second" for a connection; some bursts are allowed.
  limit: { perSecond: 3, burst: 6, concurrent: 3 },
  notes: [],
  verified: '',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { id, name, bot } = await send(context, http, { method: 'GET', path: '/v1/users/me', output: self });
  return { id, label: bot?.workspace_name ?? name ?? 'Notion' };
}
