// Drafts: a mail laid ready for a person to finish and send by hand. It is composed and checked as one that is
// sent; sending is always `send`, so that what leaves is what was approved.
import type { gmail_v1 } from '@googleapis/gmail';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type MailSend, mailSend, mailSendInput } from '../capabilities.ts';
import {
  type LiveRecord,
  type LookUp,
  type ProviderContext,
  readOperation,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { ask, cause, scope } from '../google.ts';
import { checkMail, mailInWords } from '../mail/compose.ts';
import { gmailOf, idForm, needed } from './client.ts';
import { composeForGmail, headerOf, markName, threadOf } from './send.ts';

const draftId = z.string().regex(idForm).describe('Id of the draft, as `drafts` gives it');
// Whole, as the draft is to be: a copy that is left out would be taken off unseen.
const changed = mailSend.extend({ draftId });
type Changed = z.infer<typeof changed>;
const compose = [scope('gmail.compose')];
const mostListed = 50;

export const drafts = readOperation({
  effect: 'read',
  title: 'List drafts',
  description: 'Mails that are laid ready and not sent, newest first.',
  input: z.object({ query: z.string().trim().max(1000).optional() }),
  output: z.object({ drafts: z.array(z.object({ id: z.string(), messageId: z.string() })) }),
  async run(context, { query }) {
    return { drafts: await listed(context, query) };
  },
});

export const createDraft = writeOperation<MailSend>({
  effect: 'create',
  version: 1,
  title: 'Lay a draft ready',
  scopes: compose,
  idempotency: 'look-up',
  input: mailSendInput,
  summary: (mail, account) => mailInWords(`Draft in ${account}`, mail),
  validate: checkMail,
  compensation: {
    title: 'Delete the draft',
    operation: 'delete-draft',
    payload: ({ subject }, { reference }) => ({ draftId: reference, subject }),
  },
  async run(context, mail) {
    const client = await gmailOf(context);
    const requestBody = { message: await messageOf(context, mail) };
    return outcomeOf(await cause(context, () => client.users.drafts.create({ userId: 'me', requestBody })));
  },
  async lookUp(context) {
    for (const { id, messageId } of await listed(context, undefined)) {
      if (await bearsMark(context, messageId))
        return { found: true, outcome: { reference: id, details: { id } } };
    }
    return absent();
  },
});

export const updateDraft = writeOperation<Changed>({
  effect: 'update',
  version: 1,
  title: 'Rewrite a draft',
  scopes: compose,
  idempotency: 'look-up',
  input: changed,
  summary: (mail, account) => mailInWords(`Rewrite draft ${mail.draftId} in ${account}`, mail),
  validate: checkMail,
  async run(context, { draftId: id, ...mail }) {
    const client = await gmailOf(context);
    const requestBody = { message: await messageOf(context, mail) };
    return outcomeOf(
      await cause(context, () => client.users.drafts.update({ userId: 'me', id, requestBody })),
    );
  },
  async lookUp(context, { draftId: id }) {
    const client = await gmailOf(context);
    const draft = await ask(() => client.users.drafts.get({ userId: 'me', id, format: 'metadata' }));
    const done = headerOf(draft.message ?? {}, markName) === context.effectKey;
    return done ? { found: true, outcome: outcomeOf(draft) } : absent();
  },
});

const deletion = z.object({
  draftId,
  // What the person reads who decides.
  subject: z.string().max(2000).describe('Its subject, as `get` gives it'),
});
type Deletion = z.infer<typeof deletion>;

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.drafts/delete: for ever, not to the bin. */
export const deleteDraft = writeOperation<Deletion>({
  effect: 'delete',
  version: 1,
  title: 'Delete a draft',
  description: 'Deletes a draft for ever; a mail that was sent from it stays.',
  scopes: compose,
  idempotency: 'look-up',
  input: deletion,
  summary: ({ draftId: id, subject }, account) =>
    `In ${account}: delete the draft “${subject}” (${id}) for ever`,
  async before(context, { draftId: id }) {
    const { message, fields } = await standing(context, id);
    return { title: `Draft “${headerOf(message, 'Subject') ?? ''}”`, fields, after: {} };
  },
  checkMeant: checkSubject,
  async run(context, payload) {
    const { draftId: id } = payload;
    const { fields } = await standing(context, id);
    if (context.before === undefined) checkSubject(payload, { fields });
    else if (context.before.fields['message'] !== fields['message']) {
      throw new DrawbridgeError('conflict', 'The draft was written anew since its deletion was approved.');
    }
    const client = await gmailOf(context);
    await cause(context, () => client.users.drafts.delete({ userId: 'me', id }));
    return { reference: id, details: { id } };
  },
  async lookUp(context, { draftId: id }) {
    const client = await gmailOf(context);
    try {
      await ask(() => client.users.drafts.get({ userId: 'me', id, format: 'minimal' }));
    } catch (error) {
      if (!(error instanceof DrawbridgeError && error.code === 'not_found')) throw error;
      const warning = 'The draft is gone. Gmail does not say whether it was deleted or sent by hand.';
      return { found: true, outcome: { reference: id, details: { id }, warning } };
    }
    return { found: false, conclusive: true, evidence: `The draft ${id} is still there.` };
  },
});

/** The draft as it lies there. Its message is another one after each change. @throws DrawbridgeError `not_found` */
async function standing(context: ProviderContext, id: string) {
  const client = await gmailOf(context);
  const draft = await ask(() => client.users.drafts.get({ userId: 'me', id, format: 'full' }));
  const message = draft.message ?? {};
  const named = (name: string) => headerOf(message, name) ?? '';
  const fields = {
    subject: named('Subject'),
    to: named('To'),
    cc: named('Cc'),
    beginning: message.snippet ?? '',
    message: needed(message.id, 'message'),
  };
  return { message, fields };
}

/** @throws DrawbridgeError `invalid_request`: the draft is another than the person is told */
function checkSubject({ subject }: Deletion, { fields }: Pick<LiveRecord, 'fields'>): void {
  const plain = (text: unknown) => String(text).replace(/\s+/g, ' ').trim();
  if (plain(fields['subject']) === plain(subject)) return;
  throw new DrawbridgeError('invalid_request', 'subject: the draft with this id has another subject.', {
    field: 'subject',
  });
}

async function messageOf(context: WriteContext, mail: MailSend): Promise<gmail_v1.Schema$Message> {
  const composed = await composeForGmail(context, mail);
  const threadId = await threadOf(context, mail.inReplyTo);
  return {
    raw: composed.bytes.toString('base64url'),
    ...(threadId === undefined ? {} : { threadId }),
  };
}

function outcomeOf(draft: gmail_v1.Schema$Draft): WriteOutcome {
  const id = needed(draft.id, 'id');
  return { reference: id, url: 'https://mail.google.com/mail/#drafts', details: { id } };
}

async function listed(
  context: Parameters<typeof gmailOf>[0],
  query: string | undefined,
): Promise<{ id: string; messageId: string }[]> {
  const client = await gmailOf(context);
  const asked = { userId: 'me', maxResults: mostListed, ...(query === undefined ? {} : { q: query }) };
  const answer = await ask(() => client.users.drafts.list(asked));
  return (answer.drafts ?? []).map((draft) => ({
    id: needed(draft.id, 'id'),
    messageId: needed(draft.message?.id, 'message'),
  }));
}

async function bearsMark(context: WriteContext, id: string): Promise<boolean> {
  const client = await gmailOf(context);
  const query = { userId: 'me', id, format: 'metadata', metadataHeaders: [markName] };
  return headerOf(await ask(() => client.users.messages.get(query)), markName) === context.effectKey;
}

/** Somebody may have sent or deleted it meanwhile. */
function absent(): LookUp {
  return {
    found: false,
    conclusive: false,
    evidence: 'No draft bears our mark; it may have been sent or changed.',
  };
}
