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
  notes: [
    'Either paste the secret of an internal integration (`--token-stdin`, or on the page): no app, no redirect. Or register a public integration and sign in. Both see only the pages that were given to them, and those below.',
    'Spoken to in the version 2026-03-11 of its API: databases have data sources, and `in_trash` is the word for what was thrown away.',
    'Blocks are read as markdown, 24 lists of 100 blocks and 8 levels deep when they are asked for, 90 and 12 for memory; what is cut is said. Pages and databases below a page are links, and records of their own. Pictures and files that Notion keeps are named alone: their addresses end after an hour.',
    'Notion tells the time of an edit to the minute, and its search sees edits late; how late is not documented (?). Each sync begins 15 minutes before the newest edit that it knows. That pages are restored with their old time is assumed. A page that is shared later, or no longer, is found within a day, when all is listed again; `drawbridge sync --full` does it at once.',
    'Search is not promised to find everything: rows that it leaves out are read from their databases when all is read. Where Notion itself says that a list is incomplete, nothing is taken for gone.',
    'Notion shows no address of who wrote a page, and no list of who may read it: people are those whom its columns name, and a page belongs to everybody of the organisation here. Give the integration no pages that not everybody may see.',
    'Notion takes no key of ours, and there is no place in a page that a reader does not see. A write whose answer was lost is looked up: what is there more often than before, made by this integration. That it is not there proves nothing; then a person decides.',
    'Text is appended 100 blocks at a time, 1,000 at most for one approval. Where Notion stops in the middle, what stands is told.',
    'Refresh tokens: one may come or null (S), which means that access has no end. How long an access token lives beside one is not documented (?): it is renewed when Notion refuses it. That refresh tokens are replaced is taken as possible. PKCE is not used (K).',
    'A webhook is made by hand at notion.so/profile/integrations → Webhooks. The token that Notion sends there first is the secret that signs (DRAWBRIDGE_NOTION_WEBHOOK_SECRET).',
    'Three calls a second on average (S); that short bursts are taken is third-party knowledge (P). A large workspace needs an hour for its first sync: a page costs a call or more.',
  ],
  verified:
    'Emulator: sandbox/notion/index.ts. Every request and answer held against the types of Notion’s own SDK (August 2026), but for the page of consent. Nothing was tried on a live workspace.',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { id, name, bot } = await send(context, http, { method: 'GET', path: '/v1/users/me', output: self });
  return { id, label: bot?.workspace_name ?? name ?? 'Notion' };
}
