// Mailchimp by its Marketing API: audiences and their contacts, campaigns and their reports, read, kept in memory
// and written to. A campaign is drafted here and never sent.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { exchangeAt, send } from '../request.ts';
import { campaignFeed } from './campaign-feed.ts';
import { createDraft, deleteDraft } from './campaign-writes.ts';
import { contactFeed } from './contact-feed.ts';
import { archiveContact, tagContact } from './contact-filing.ts';
import { putContact, setStatus } from './contact-writes.ts';
import { http, isDataCentre } from './http.ts';
import {
  getCampaign,
  getMember,
  getReport,
  listAudiences,
  listCampaigns,
  listMembers,
  listMergeFields,
  searchMembers,
} from './reads.ts';

export const provider = defineProvider({
  id: 'mailchimp',
  title: 'Mailchimp',
  fields: z.object({}),
  learned: { dc: { from: 'probe', description: 'Data centre of the account (us14): part of its address' } },
  secrets: [
    {
      name: 'api_key',
      title: 'API key',
      hint: 'In place of signing in, and without an app: Mailchimp, your profile, Extras, API keys, Create A Key.',
      optional: true,
    },
  ],
  auth: {
    kind: 'oauth2',
    app: 'mailchimp',
    authorizeUrl: 'https://login.mailchimp.com/oauth2/authorize',
    tokenUrl: 'https://login.mailchimp.com/oauth2/token',
    pkce: 'not-supported',
    clientAuthentication: 'body',
    scopes: [],
    accessToken: 'endless',
    refreshToken: 'none',
    pasted: 'api_key',
    registration: [
      'Sign in at https://admin.mailchimp.com, open your profile, Extras, Registered apps, and register an app.',
      'Enter {redirectUrl} as its redirect URI, exactly so. Where Mailchimp refuses localhost (known, not verified), connect by an API key, or run under an address of your own (DRAWBRIDGE_PUBLIC_URL).',
      'Copy Client ID and Client secret: the secret is shown once.',
    ],
  },
  http,
  probe,
  identity,
  operations: {
    'list-audiences': listAudiences,
    'list-audience-fields': listMergeFields,
    'list-contacts': listMembers,
    'search-contacts': searchMembers,
    'get-contact': getMember,
    'list-campaigns': listCampaigns,
    'get-campaign': getCampaign,
    'get-report': getReport,
    'put-contact': putContact,
    'set-contact-status': setStatus,
    'tag-contact': tagContact,
    'archive-contact': archiveContact,
    'draft-campaign': createDraft,
    'delete-campaign-draft': deleteDraft,
  },
  capabilities: {},
  feeds: { contacts: contactFeed, campaigns: campaignFeed },
  // Mailchimp's own: 10 calls at once, and no figure for a second.
  limit: { perSecond: 10, burst: 40, concurrent: 10 },
  notes: [
    'Mailchimp knows no scopes: a token or key may do all that the role of its owner may: connect it as somebody whose role is just enough.',
    'The data centre is part of every address: it is told by a call after signing in, or stands behind the dash of a key. One of another form is not believed.',
    'The metadata call takes the token with the word OAuth, as Mailchimp’s guide shows it; that tokens have no end, and that nothing revokes them but a person at Mailchimp, is known, not verified.',
    'A contact is added with a status for somebody new alone: whoever has unsubscribed, bounced or been archived stays so. To bring somebody back takes another write, which says so and is refused without it; Mailchimp itself refuses many of them and asks the person by mail (pending).',
    'Campaigns are drafted and never sent: there is no operation that sends.',
    'A draft has no mark of ours: one that is the same in audience, subject, sender and text counts as the one that was approved.',
    'Contacts are synced by their last change, archived ones apart; that a list leaves archived ones out unless they are asked for is known, not verified. Who was deleted for good shows when all ids are counted over: each run up to 5,000 contacts of an audience, else once a day.',
    'Numbers of a campaign (sent, opens, clicks) are kept as they were when its words last changed; get-report asks for them live. Ratings and averages of a contact are not kept.',
    'Who of an account may see an audience Mailchimp does not tell: contacts are shown to all of your organisation.',
    'The limit (10 calls at once, of a user over all programs) is known, not verified; 429 has no promised Retry-After.',
    'Addresses of pages inside Mailchimp (admin.mailchimp.com) are known, not verified.',
  ],
  verified:
    'Emulator: sandbox/mailchimp/index.ts. Every request and answer held against Mailchimp’s own Marketing API document (3.0.55, through a converter), but for the sign-in and its metadata call, which it leaves out.',
});

/**
 * The data centre: behind the dash of a key, else named by a call.
 * https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/
 */
async function probe(context: ProviderContext): Promise<Record<string, string>> {
  const key = pastedKey(context);
  const dc = key === undefined ? await namedCentre(context) : (key.split('-')[1] ?? '');
  if (isDataCentre(dc)) return { dc };
  if (key !== undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      'api_key: a key of Mailchimp ends in its data centre, like -us14.',
      {
        field: 'api_key',
      },
    );
  }
  throw new DrawbridgeError(
    'permission_denied',
    'Mailchimp named a data centre of a form that none has: nothing was connected.',
  );
}

/** Undefined where a person signed in. */
function pastedKey(context: ProviderContext): string | undefined {
  try {
    return context.secret('api_key').reveal();
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError && thrown.code === 'auth_expired') return undefined;
    throw thrown;
  }
}

async function namedCentre(context: ProviderContext): Promise<string> {
  const { output } = await exchangeAt(context, http, new URL('https://login.mailchimp.com/oauth2/metadata'), {
    method: 'GET',
    headers: { authorization: `OAuth ${(await context.token()).reveal()}` },
    output: z.object({ dc: z.string() }),
  });
  return output.dc;
}

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { account_id, account_name } = await send(context, http, {
    method: 'GET',
    path: '/',
    query: { fields: 'account_id,account_name' },
    output: z.object({ account_id: z.string().min(1), account_name: z.string().optional() }),
  });
  return { id: account_id, label: account_name ?? account_id };
}
