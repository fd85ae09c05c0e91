// A message as Graph gives it, as it is shown, and as it is written; and the mark by which ours are found again.
// https://learn.microsoft.com/en-us/graph/api/resources/message
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { addressField, type MailAddress, type MailSend } from '../capabilities.ts';
import type { LookUp, ProviderContext, WriteContext, WriteOutcome } from '../define.ts';
import { attachmentBytes } from '../mail/compose.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { addressOf, refusalOf, send } from '../request.ts';

/** Ids of Graph: base64 for addresses. */
export const graphId = z
  .string()
  .regex(/^[A-Za-z0-9_=-]{1,1000}$/)
  .describe('Its id, as a list gives it');

export const recipient = z.object({
  emailAddress: z.object({ name: z.string().nullish(), address: z.string().nullish() }).nullish(),
});
type Recipient = z.infer<typeof recipient>;

const briefFields = [
  'id',
  'conversationId',
  'subject',
  'from',
  'toRecipients',
  'ccRecipients',
  'replyTo',
  'receivedDateTime',
  'internetMessageId',
  'bodyPreview',
  'isRead',
  'isDraft',
  'hasAttachments',
  'webLink',
];
export const briefSelect = briefFields.join(',');

export const rawMessage = z.object({
  id: z.string(),
  conversationId: z.string().nullish(),
  subject: z.string().nullish(),
  from: recipient.nullish(),
  toRecipients: z.array(recipient).nullish(),
  ccRecipients: z.array(recipient).nullish(),
  replyTo: z.array(recipient).nullish(),
  receivedDateTime: z.string().nullish(),
  internetMessageId: z.string().nullish(),
  bodyPreview: z.string().nullish(),
  isRead: z.boolean().nullish(),
  isDraft: z.boolean().nullish(),
  hasAttachments: z.boolean().nullish(),
  webLink: z.string().nullish(),
});
export type RawMessage = z.infer<typeof rawMessage>;

export const person = z.object({ email: z.string(), name: z.string().optional() });
export const brief = z.object({
  id: z.string(),
  conversation: z.string().optional(),
  subject: z.string(),
  from: person.optional(),
  to: z.array(person),
  cc: z.array(person),
  /** To whom a reply goes. */
  repliesTo: z.array(person),
  at: z.string().optional(),
  messageId: z.string().optional(),
  preview: z.string(),
  read: z.boolean(),
  draft: z.boolean(),
  attachments: z.boolean(),
  url: z.string().optional(),
});
export type Brief = z.infer<typeof brief>;

export function peopleIn(recipients: readonly Recipient[] | null | undefined): MailAddress[] {
  return (recipients ?? []).flatMap(({ emailAddress }) => {
    const { address, name } = emailAddress ?? {};
    if (typeof address !== 'string' || address === '') return [];
    return [{ email: address, ...(typeof name === 'string' && name !== '' ? { name } : {}) }];
  });
}

export function briefOf(raw: RawMessage): Brief {
  const from = raw.from == null ? undefined : peopleIn([raw.from])[0];
  const answers = peopleIn(raw.replyTo);
  return {
    id: raw.id,
    conversation: raw.conversationId ?? undefined,
    subject: raw.subject ?? '',
    from,
    to: peopleIn(raw.toRecipients),
    cc: peopleIn(raw.ccRecipients),
    repliesTo: answers.length > 0 || from === undefined ? answers : [from],
    at: raw.receivedDateTime ?? undefined,
    messageId: raw.internetMessageId ?? undefined,
    preview: raw.bodyPreview ?? '',
    read: raw.isRead ?? false,
    draft: raw.isDraft ?? false,
    attachments: raw.hasAttachments ?? false,
    url: raw.webLink ?? undefined,
  };
}

const largestMime = 32 * 1024 * 1024;

/** The mail as it came (RFC 5322). @throws DrawbridgeError */
export async function mimeOf(context: ProviderContext, id: string): Promise<Buffer> {
  const url = addressOf(context, http, { path: '/me/messages/{id}/$value', params: { id } });
  const { headers } = http;
  const response = await context.fetch(url, {
    headers,
    maxBytes: largestMime,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = () => bytes.toString('utf8');
  const isJson = /\bjson\b/i.test(response.headers.get('content-type') ?? '');
  const refused = refusalOf(
    http,
    { status: response.status, headers: response.headers, body: isJson ? json(text()) : undefined },
    url.hostname,
    context.clock.now(),
  );
  if (refused !== undefined) throw refused;
  if (isJson) throw new DrawbridgeError('malformed_response', `${url.hostname} answered with no mail.`);
  return bytes;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The account's own address, learned at connecting. @throws DrawbridgeError `auth_expired` */
export function ownAddress({ fields }: Pick<ProviderContext, 'fields'>): string {
  const email = addressField.safeParse(fields['email']);
  if (email.success) return email.data;
  throw new DrawbridgeError('auth_expired', 'The account has no address of its own. Connect it again.');
}

// A property of our own on what we make. https://learn.microsoft.com/en-us/graph/api/resources/extended-properties-overview
const markId = 'String {1d2f4f0a-6f0e-4d5c-9a57-2f6c6a1b7e31} Name drawbridge-mark';

export const markOf = ({ effectKey }: WriteContext) => ({ id: markId, value: effectKey });

export const markFilter = ({ effectKey }: WriteContext): string =>
  `singleValueExtendedProperties/Any(ep: ep/id eq '${markId}' and ep/value eq '${effectKey}')`;

export const asRecipient = ({ email, name }: MailAddress) => ({
  emailAddress: { address: email, ...(name === undefined ? {} : { name }) },
});

/** Properties of Exchange: PidTagInReplyToId, PidTagInternetReferences. */
const inReplyToId = 'String 0x1042';
const referencesId = 'String 0x1039';

export function messageIdOf(context: WriteContext): string {
  const email = ownAddress(context);
  return `<${context.effectKey}@${email.slice(email.indexOf('@') + 1)}>`;
}

/** The approved mail as Graph takes it. @throws DrawbridgeError `internal` where an attachment is not the approved one */
export async function bodyOf(context: WriteContext, mail: MailSend) {
  const named = (id: string, value: string | undefined) => (value === undefined ? [] : [{ id, value }]);
  const references = mail.references.length === 0 ? undefined : mail.references.join(' ');
  return {
    subject: mail.subject,
    body: { contentType: mail.html === undefined ? 'text' : 'html', content: mail.html ?? mail.text },
    toRecipients: mail.to.map(asRecipient),
    ccRecipients: mail.cc.map(asRecipient),
    bccRecipients: mail.bcc.map(asRecipient),
    internetMessageId: messageIdOf(context),
    singleValueExtendedProperties: [
      markOf(context),
      ...named(inReplyToId, mail.inReplyTo),
      ...named(referencesId, references),
    ],
    ...(mail.attachments.length === 0
      ? {}
      : {
          attachments: await Promise.all(
            mail.attachments.map(async ({ name, mediaType, sha256 }) => ({
              '@odata.type': '#microsoft.graph.fileAttachment',
              name,
              contentType: mediaType,
              contentBytes: (await attachmentBytes(context, sha256)).toString('base64'),
            })),
          ),
        }),
  };
}

const found = z.object({ value: z.array(rawMessage) });

/** A message with our mark proves that it was made; that there is none proves nothing. */
export async function lookUpMarked(
  context: WriteContext,
  { sent, outcome }: { sent: boolean; outcome(message: RawMessage): WriteOutcome },
): Promise<LookUp> {
  const { value } = await send(context, http, {
    method: 'GET',
    path: '/me/messages',
    query: { $filter: markFilter(context), $top: 5, $select: 'id,internetMessageId,webLink,isDraft' },
    output: found,
  });
  // What was to be sent and lies as a draft was not.
  const message = value.find(({ isDraft }) => !sent || isDraft !== true);
  if (message !== undefined) return { found: true, outcome: outcome(message) };
  return {
    found: false,
    conclusive: false,
    evidence: 'No message of the account bears our mark; it may have been removed, or not be there yet.',
  };
}
