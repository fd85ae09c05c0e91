// HubSpot's CRM by its API: contacts, companies, deals, notes and tickets, read, searched, kept in memory and
// written to; or by HubSpot's own MCP server.
import { z } from 'zod';
import { defineProvider, type ProviderContext, type ReadOperation, type WriteOperation } from '../define.ts';
import { send } from '../request.ts';
import { feedOf } from './feed.ts';
import { http } from './http.ts';
import { type Kind, kinds } from './kinds.ts';
import { pipelinesOperation } from './pipelines.ts';
import { associationsOperation, getOperation, searchOperation } from './reads.ts';
import { webhook } from './webhook.ts';
import { archiveOperation, associateOperation, createOperation, updateOperation } from './writes.ts';

const all = Object.values(kinds);

export const provider = defineProvider({
  id: 'hubspot',
  title: 'HubSpot',
  fields: z.object({}),
  learned: {
    portal: { from: 'probe', description: 'Number of the account (Hub ID)' },
    ui_domain: { from: 'probe', description: 'Where its own pages are' },
  },
  secrets: [],
  auth: {
    kind: 'oauth2',
    app: 'hubspot',
    authorizeUrl: 'https://app.hubspot.com/oauth/authorize',
    tokenUrl: 'https://api.hubapi.com/oauth/v3/token',
    revocation: { url: 'https://api.hubapi.com/oauth/v3/token/revoke', token: 'refresh', body: 'form' },
    // The token endpoint takes a code_verifier; that the authorization page heeds the challenge is not documented.
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: ['oauth'],
    accessToken: { readFrom: 'answer' },
    refreshToken: { rotation: 'never', lifetime: 'endless' },
    registration: [
      'Sign in at https://app.hubspot.com with an account that may make apps, and open Development.',
      'Create an app with OAuth as its way of authentication.',
      'Enter {redirectUrl} as its redirect URL, exactly so.',
      'Scopes, required: oauth, crm.objects.contacts.read, crm.objects.companies.read, crm.objects.deals.read, tickets.',
      'Scopes, optional, for writing: crm.objects.contacts.write, crm.objects.companies.write, crm.objects.deals.write.',
      'HubSpot shows an error in place of its page of consent when a scope is asked for that the app does not list.',
      'Copy Client ID and Client secret from the page Auth of the app.',
    ],
  },
  http,
  mcp: { url: 'https://mcp.hubspot.com' },
  probe,
  identity,
  operations: Object.fromEntries(all.flatMap(operationsOf)),
  capabilities: {},
  feeds: Object.fromEntries(all.map((kind) => [kind.type, feedOf(kind)])),
  webhook,
  // 100 to 190 calls in 10 s by plan of the account, 110 for an app by OAuth: sources differ, the smallest holds.
  // Within the window a first sync of a small account need not trickle.
  limit: { perSecond: 9, burst: 40, concurrent: 4, windows: [{ calls: 100, ms: 10_000 }] },
  notes: [
    'The account is found by /account-info/v3/details, which HubSpot documents and its published specifications leave out.',
    'Associations are read and written by version 4 of the API, as the official client does, and pipelines by version 3; the published specifications that were checked against leave both out.',
    'Whether the authorization page heeds PKCE is not documented: the challenge is sent, and the token endpoint takes the verifier.',
    'Searches have a limit of their own (5 a second); how late they see a change is not documented: each sync begins 5 minutes before the newest change that it knows.',
    'Deletions come from the recycling bin. What was deleted for good (GDPR) or merged into another record is not told there.',
    'Notes need the scopes of contacts. Tickets have one scope, which reads and writes.',
    'Creating a company, deal, note or ticket cannot be looked up afterwards: when the answer gets lost, a person decides.',
    'The MCP server at mcp.hubspot.com needs an app of its own kind (an MCP auth app) with PKCE, with the same redirect URL: set DRAWBRIDGE_HUBSPOT_MCP_CLIENT_ID and DRAWBRIDGE_HUBSPOT_MCP_CLIENT_SECRET. That it is reached there is known from HubSpot’s documentation alone.',
  ],
  verified:
    'Emulator: sandbox/hubspot/index.ts. Every request and answer held against HubSpot’s own OpenAPI documents (2026), but for version 4 of associations and account-info, which they leave out.',
});

function operationsOf(kind: Kind): [string, ReadOperation | WriteOperation][] {
  const { one, many } = kind;
  return [
    [`get-${one}`, getOperation(kind)],
    [`search-${many}`, searchOperation(kind)],
    [`list-${one}-associations`, associationsOperation(kind)],
    ...(kind.stage === undefined ? [] : [[`list-${one}-pipelines`, pipelinesOperation(kind)]]),
    [`create-${one}`, createOperation(kind)],
    [`update-${one}`, updateOperation(kind)],
    [`associate-${one}`, associateOperation(kind)],
    [`delete-${one}`, archiveOperation(kind)],
  ] as [string, ReadOperation | WriteOperation][];
}

const details = z.object({
  portalId: z.number().int().positive(),
  uiDomain: z.string().optional(),
});

/** https://developers.hubspot.com/docs/api-reference/account-account-info-v3/details/get-account-info-v3-details */
function account(context: ProviderContext): Promise<z.infer<typeof details>> {
  return send(context, http, { method: 'GET', path: '/account-info/v3/details', output: details });
}

async function probe(context: ProviderContext): Promise<Record<string, string>> {
  const { portalId, uiDomain } = await account(context);
  return { portal: String(portalId), ...(uiDomain === undefined ? {} : { ui_domain: uiDomain }) };
}

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { portalId } = await account(context);
  return { id: String(portalId), label: `HubSpot ${portalId}` };
}
