// Outlook by Microsoft Graph: mail and the main calendar of one account, read, kept in memory and written to.
import { z } from 'zod';
import { addressField } from '../capabilities.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { microsoftAuth, microsoftFields, microsoftHttp, microsoftNotes } from '../microsoft.ts';
import { send } from '../request.ts';
import { cancel, create } from './booking.ts';
import { eventFeed } from './event-feed.ts';
import { events, freeBusy, getEvent } from './events.ts';
import { mailFeed } from './mail-feed.ts';
import { get, list, search } from './messages.ts';
import { reply } from './reply.ts';
import { createDraft, send as sendMail } from './send.ts';

export const provider = defineProvider({
  id: 'outlook',
  title: 'Outlook',
  fields: z.object(microsoftFields),
  learned: { email: { from: 'probe', description: 'Address of the account; mail is sent from it' } },
  secrets: [],
  auth: microsoftAuth([]),
  http: microsoftHttp,
  identity,
  probe,
  operations: {
    list,
    search,
    get,
    events,
    'get-event': getEvent,
    'free-busy': freeBusy,
    send: sendMail,
    reply,
    'create-draft': createDraft,
    create,
    cancel,
  },
  capabilities: { 'mail.send': 'send', 'calendar.create': 'create', 'calendar.free-busy': 'free-busy' },
  feeds: { mail: mailFeed, events: eventFeed },
  // Graph's own of a mailbox and app: 10,000 in ten minutes, 4 at once.
  limit: { perSecond: 15, burst: 100, concurrent: 4, windows: [{ calls: 9_500, ms: 600_000 }] },
  notes: [
    ...microsoftNotes,
    'A mail bears our own Message-ID and a hidden mark (an extended property), by which it is found again; that Exchange keeps the Message-ID when it is sent in one call is not verified.',
    'A mail that answers another one names it by Exchange’s own properties (0x1042, 0x1039), as the API takes no such header; known, not verified.',
    'Attachments go in the same call, together 3 MB at most: Graph takes larger ones piece by piece, which is not done here.',
    'A mail carries one body at this API: the formatted one where there is one, else the plain text.',
    'Mail in Drafts, Junk, Deleted Items and Outbox is not synced.',
    'Of calendars the main one is read, from a year back to two years ahead. A single date taken out of a series is still shown as one of it.',
    'Outlook keeps one reminder an event, and series by day, week, month or year: other rules are refused before anybody is asked.',
    'A sync asks for all folders of a mailbox in JSON batches of 20, each part counted against the limits; a part that is not answered well is asked by itself. That Graph runs four parts at a time of a mailbox is documented, not verified.',
    'The limits (10,000 calls in ten minutes and 4 at once, app and mailbox) and that a delta link that is too old is answered with 410 are known, not verified.',
  ],
  verified:
    'Emulator: sandbox/microsoft/graph.ts. Every request and answer held against Microsoft’s own OpenAPI document of Graph v1.0 (about 2023), those within batches, too, but for childFolders and the batch itself, which that subset leaves out, and the empty answers (202) of sending and replying, for which it has 204.',
});

const me = z.object({
  id: z.string().min(1),
  mail: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
});

async function account(context: ProviderContext): Promise<{ id: string; email: string | undefined }> {
  const { id, mail, userPrincipalName } = await send(context, microsoftHttp, {
    method: 'GET',
    path: '/me',
    query: { $select: 'id,mail,userPrincipalName' },
    output: me,
  });
  return { id, email: mail ?? userPrincipalName ?? undefined };
}

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { id, email } = await account(context);
  return { id, label: email ?? id };
}

async function probe(context: ProviderContext): Promise<Record<string, string>> {
  const email = addressField.safeParse((await account(context)).email);
  return email.success ? { email: email.data } : {};
}
