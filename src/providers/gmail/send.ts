// mail.send by Gmail's API: at most one mail for one approval, and an honest word about what became of it.
// https://developers.google.com/workspace/gmail/api/guides/sending
import { Readable } from 'node:stream';
import type { gmail_v1 } from '@googleapis/gmail';
import { DrawbridgeError } from '../../errors.ts';
import { type MailSend, mailSendInput } from '../capabilities.ts';
import {
  type LookUp,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { ask, cause, scope } from '../google.ts';
import {
  type ComposedMail,
  checkMail,
  compose,
  mailConcerns,
  mailInWords,
  messageIdOf,
} from '../mail/compose.ts';
import { gmailOf, needed, ownAddress, pageOf } from './client.ts';

/**
 * Gmail puts a Message-ID of its own in the place of ours, at least of some (reported by many, not documented).
 * This header stays, so that a mail that went out can be found by reading it.
 */
export const markName = 'X-Drawbridge-Mark';
/** A larger mail goes by the upload address. Base64 in JSON makes it a third longer. */
const largestInJson = 3 * 1024 * 1024;
const mostCompared = 20;

export const send = writeOperation<MailSend>({
  effect: 'send',
  version: 1,
  title: 'Send an e-mail',
  description: 'Sends one mail from the connected Gmail account, in its thread where it is a reply.',
  scopes: [scope('gmail.send')],
  idempotency: 'look-up',
  input: mailSendInput,
  summary: (mail, account) => mailInWords(`Send from ${account}`, mail),
  validate: checkMail,
  concerns: mailConcerns,
  run,
  lookUp,
});

/** The approved mail, as Gmail takes it: hidden recipients in the header, which Gmail takes out. */
export async function composeForGmail(context: WriteContext, mail: MailSend): Promise<ComposedMail> {
  const email = await ownAddress(context);
  const name = context.fields['name'];
  return compose(context, mail, {
    email,
    ...(typeof name === 'string' ? { name } : {}),
    bcc: 'header',
    mark: { name: markName, value: context.effectKey },
  });
}

async function run(context: WriteContext, payload: MailSend): Promise<WriteOutcome> {
  const client = await gmailOf(context);
  const mail = await composeForGmail(context, payload);
  const threadId = await threadOf(context, payload.inReplyTo);
  const thread = threadId === undefined ? {} : { threadId };
  const sent = await cause(context, () =>
    mail.bytes.length > largestInJson
      ? client.users.messages.send({
          userId: 'me',
          requestBody: thread,
          media: { mimeType: 'message/rfc822', body: Readable.from([mail.bytes]) },
        })
      : client.users.messages.send({
          userId: 'me',
          requestBody: { ...thread, raw: mail.bytes.toString('base64url') },
        }),
  );
  const serverMessageId = await messageIdAt(context, sent.id);
  return {
    ...outcomeOf(mail.from, mail.messageId, sent),
    details: {
      ...outcomeOf(mail.from, mail.messageId, sent).details,
      recipients: mail.recipients,
      // Replies will name this one.
      ...(serverMessageId === undefined || serverMessageId === mail.messageId ? {} : { serverMessageId }),
    },
  };
}

function outcomeOf(email: string, messageId: string, sent: gmail_v1.Schema$Message): WriteOutcome {
  const known = typeof sent.id === 'string';
  return {
    reference: messageId,
    ...(known ? { url: pageOf(email, sent.id as string) } : {}),
    details: {
      messageId,
      ...(known ? { id: sent.id } : {}),
      ...(typeof sent.threadId === 'string' ? { threadId: sent.threadId } : {}),
    },
  };
}

/** The thread of the mail that is answered; undefined where the account does not hold it, or may not be read. */
export async function threadOf(
  context: ProviderContext,
  inReplyTo: string | undefined,
): Promise<string | undefined> {
  if (inReplyTo === undefined) return undefined;
  try {
    return (await byMessageId(context, inReplyTo))?.threadId ?? undefined;
  } catch (error) {
    if (error instanceof DrawbridgeError && error.code === 'permission_denied') return undefined;
    throw error;
  }
}

/** `id` with its angle brackets; they and what a search would read as its own syntax are left out. */
async function byMessageId(
  context: ProviderContext,
  id: string,
): Promise<gmail_v1.Schema$Message | undefined> {
  const client = await gmailOf(context);
  const bare = id.replace(/^<|>$/g, '');
  if (/[\s"(){}<>]/.test(bare)) return undefined;
  const query = { userId: 'me', q: `rfc822msgid:${bare}`, maxResults: 1, includeSpamTrash: true };
  return (await ask(() => client.users.messages.list(query))).messages?.[0];
}

/** The Message-ID under which Gmail keeps it. The mail is gone already: a failure costs this detail alone. */
async function messageIdAt(
  context: WriteContext,
  id: string | null | undefined,
): Promise<string | undefined> {
  try {
    return headerOf(await metadata(context, needed(id, 'id'), ['Message-ID']), 'Message-ID');
  } catch (error) {
    context.log.warn({ err: error }, 'the Message-ID of the sent mail could not be read');
    return undefined;
  }
}

async function metadata(
  context: ProviderContext,
  id: string,
  metadataHeaders: string[],
): Promise<gmail_v1.Schema$Message> {
  const client = await gmailOf(context);
  return ask(() => client.users.messages.get({ userId: 'me', id, format: 'metadata', metadataHeaders }));
}

/** `name` in any case. */
export function headerOf(message: gmail_v1.Schema$Message, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const found = message.payload?.headers?.find((one) => one.name?.toLowerCase() === wanted);
  return found?.value ?? undefined;
}

/**
 * Our Message-ID in the account proves the send; where Gmail gave it another, our mark in one of the last mails
 * sent to that person does. That there is neither proves nothing.
 */
async function lookUp(context: WriteContext, payload: MailSend): Promise<LookUp> {
  const email = await ownAddress(context);
  const messageId = messageIdOf(context, email);
  const direct = await byMessageId(context, messageId);
  const found = direct ?? (await byMark(context, payload));
  if (found !== undefined) return { found: true, outcome: outcomeOf(email, messageId, found) };
  return {
    found: false,
    conclusive: false,
    evidence: `Gmail holds no mail with ${messageId}, nor one with our mark among the last ${mostCompared} to ${payload.to[0]?.email ?? 'that person'}; that does not prove that it was not sent.`,
  };
}

async function byMark(
  context: WriteContext,
  payload: MailSend,
): Promise<gmail_v1.Schema$Message | undefined> {
  const to = payload.to[0]?.email;
  if (to === undefined) return undefined;
  const client = await gmailOf(context);
  const query = { userId: 'me', q: `in:sent to:${to}`, maxResults: mostCompared };
  const { messages } = await ask(() => client.users.messages.list(query));
  for (const { id } of messages ?? []) {
    if (typeof id !== 'string') continue;
    const message = await metadata(context, id, [markName]);
    if (headerOf(message, markName) === context.effectKey) return message;
  }
  return undefined;
}
