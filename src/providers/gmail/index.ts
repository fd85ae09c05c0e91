// Gmail by its API: reads the account's mail, sends one mail an approval, drafts and sorts.
import { z } from 'zod';
import { defineProvider, type ProviderContext } from '../define.ts';
import { googleAuth, googleHttp, googleNotes } from '../google.ts';
import { profileOf } from './client.ts';
import { createDraft, deleteDraft, drafts, updateDraft } from './drafts.ts';
import { mailFeed } from './feed.ts';
import { archive, label, trash, untrash } from './labels.ts';
import { get, labels, list, search, thread, threads } from './reads.ts';
import { send } from './send.ts';

const fields = z.object({
  name: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'must not hold a line break or a control character')
    .optional()
    .describe('Your name, as recipients see it'),
});

export const provider = defineProvider({
  id: 'gmail',
  title: 'Gmail',
  fields,
  learned: { email: { from: 'probe', description: 'Address of the account; mail is sent from it' } },
  secrets: [],
  auth: googleAuth('Gmail API', ['gmail.readonly']),
  http: googleHttp('https://gmail.googleapis.com'),
  identity,
  probe,
  operations: {
    list,
    search,
    get,
    threads,
    thread,
    labels,
    drafts,
    send,
    'create-draft': createDraft,
    'update-draft': updateDraft,
    'delete-draft': deleteDraft,
    label,
    archive,
    trash,
    untrash,
  },
  capabilities: { 'mail.send': 'send' },
  feeds: { mail: mailFeed },
  // Google counts units: 6,000 a minute and account for an app made since May 2026 (15,000 before); reading one
  // message is known as 5 of them, sending as 100. https://developers.google.com/workspace/gmail/api/reference/quota
  limit: { perSecond: 10, burst: 250, concurrent: 6 },
  appLimit: { perSecond: 1000, burst: 2000, concurrent: 200 },
  notes: [
    ...googleNotes,
    'Gmail may put a Message-ID of its own in the place of ours (reported, not documented): a mail whose sending was cut off is then found by a header of ours instead.',
    'How long Gmail keeps its history is not promised ("at least a week" as a rule): when it is too old (404, not verified), all messages are read again.',
    'The limits are those of an app made since May 2026; units a call costs are from an older page of Google’s.',
  ],
  verified:
    'Emulator: sandbox/google/gmail.ts. Every request and answer held against Google’s own discovery document (gmail v1, 2026).',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { email } = await profileOf(context);
  return { id: email.toLowerCase(), label: email };
}

async function probe(context: ProviderContext): Promise<Record<string, string>> {
  return { email: (await profileOf(context)).email };
}
