// send-email: proposes one mail, whole, from one account. What a person approves is what is sent.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { StoredDocument } from '../memory/memory.ts';
import type { MailSend } from '../providers/capabilities.ts';
import type { Attachment } from '../queue/queue.ts';
import { visibleLine } from '../untrusted.ts';
import { defineTool, type ToolContext } from './define.ts';
import { parseAddresses } from './names/addresses.ts';
import { documentId } from './names/uris.ts';
import { plainMarkdown, renderMarkdown } from './propose/markdown.ts';
import { proposalInputs, proposalOutput, propose, toldOf } from './propose/proposal.ts';

const addresses = z.array(z.string()).max(100);

export const sendEmail = defineTool({
  name: 'send-email',
  title: 'Propose an e-mail',
  description:
    'Proposes an e-mail. Nothing is sent until a person approves it; the answer says where they do. Give text, markdown (sent as HTML with a text alternative) or both. replyTo answers a message in memory in its thread.',
  kind: 'propose',
  live: true,
  input: z.object({
    to: addresses.optional().describe('"a@b.co" or "Name <a@b.co>"; a reply defaults to its sender'),
    cc: addresses.default([]),
    bcc: addresses.default([]),
    subject: z.string().max(500).optional().describe('A reply defaults to Re: …'),
    text: z.string().max(200_000).optional(),
    markdown: z.string().max(200_000).optional(),
    replyTo: z.string().optional().describe('ime://documents/… of the message'),
    attachments: z.array(z.string()).max(20).default([]).describe('ime://documents/… URIs'),
    account: z.string().min(1).optional().describe('From list-connections; needed when several can send'),
    ...proposalInputs,
  }),
  output: proposalOutput,
  async run(context, input) {
    const { rooms, org } = context;
    const connection = await rooms.connections.resolve(org, 'mail.send', input.account);
    const original = input.replyTo === undefined ? undefined : await message(context, input.replyTo);
    const reply = original === undefined ? undefined : replyOf(original);
    const to = input.to === undefined ? (reply?.to ?? []) : parseAddresses(input.to, 'to');
    if (to.length === 0) {
      throw new DrawbridgeError(
        'invalid_request',
        'to: name at least one recipient, or give replyTo to answer the sender of a message.',
        { field: 'to' },
      );
    }
    const subject = input.subject ?? reply?.subject;
    if (subject === undefined || subject.trim() === '') {
      throw new DrawbridgeError('invalid_request', 'subject: is missing. Give one, or give replyTo.', {
        field: 'subject',
      });
    }
    const text =
      input.text ?? (input.markdown === undefined ? undefined : await plainMarkdown(input.markdown));
    if (text === undefined || text.trim() === '') {
      throw new DrawbridgeError('invalid_request', 'text: is empty. Give text, markdown, or both.', {
        field: 'text',
      });
    }
    const attachments = await Promise.all(
      input.attachments.map((uri, index) => attachmentOf(context, uri, `attachments.${index}`)),
    );
    const payload: MailSend = {
      to,
      cc: parseAddresses(input.cc, 'cc'),
      bcc: parseAddresses(input.bcc, 'bcc'),
      subject,
      text,
      ...(input.markdown === undefined ? {} : { html: await renderMarkdown(input.markdown) }),
      ...(reply?.inReplyTo === undefined ? {} : { inReplyTo: reply.inReplyTo }),
      references: reply?.references ?? [],
      attachments: attachments.map((a) => ({
        name: a.name,
        mediaType: a.mediaType,
        size: a.bytes.byteLength,
        sha256: createHash('sha256').update(a.bytes).digest('hex'),
      })),
    };
    const { name } = await rooms.connections.writeFor(connection, 'mail.send');
    return propose(context, {
      connectionId: connection.id,
      operation: name,
      payload,
      attachments,
      ...(await toldOf(context, input)),
    });
  },
});

async function message(context: ToolContext, uri: string): Promise<StoredDocument> {
  const document = await context.rooms.memory.document(context.org, documentId(uri, 'replyTo'));
  if (document.kind !== 'mail') {
    throw new DrawbridgeError(
      'invalid_request',
      `replyTo: that document is no message but of kind ${document.kind}.`,
      { field: 'replyTo' },
    );
  }
  return document;
}

const messageIdShape = /^<[^<>\s]{1,900}>$/;

/** The threading headers of an answer (RFC 5322, 3.6.4): its parent, and the parent's chain before it. */
function replyOf(original: StoredDocument) {
  const sender = original.people.find((p) => p.role === 'from' && p.address !== undefined);
  const ids = (value: unknown) =>
    (Array.isArray(value) ? value : [value]).filter(
      (id): id is string => typeof id === 'string' && messageIdShape.test(id),
    );
  const [inReplyTo] = ids(original.facts['messageId']);
  const chain = [...ids(original.facts['references']), ...(inReplyTo === undefined ? [] : [inReplyTo])];
  const subject = visibleLine(original.title, 400);
  return {
    to:
      sender?.address === undefined
        ? []
        : [
            {
              email: sender.address,
              ...(sender.name === undefined
                ? {}
                : { name: visibleLine(sender.name, 100).replace(/["<>]/g, '') }),
            },
          ],
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    inReplyTo,
    references: [...new Set(chain)].slice(-50),
  };
}

const extension: Record<string, string> = {
  'message/rfc822': 'eml',
  'text/calendar': 'ics',
  'text/markdown': 'md',
  'text/plain': 'txt',
  'text/html': 'html',
  'text/vcard': 'vcf',
  'text/vtt': 'vtt',
  'application/x-subrip': 'srt',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/json': 'json',
};

/** The document's own bytes, under a name that is safe in a header and on a disk. */
async function attachmentOf(context: ToolContext, uri: string, field: string): Promise<Attachment> {
  const document = await context.rooms.memory.document(context.org, documentId(uri, field));
  const { fileName } = document.facts;
  const stem =
    visibleLine(typeof fileName === 'string' ? fileName : document.title, 80)
      .replace(/[^\p{L}\p{N} ._-]/gu, '_')
      .replace(/^[. ]+|[. ]+$/g, '') || 'document';
  const ending = extension[document.mediaType] ?? 'bin';
  return {
    name: stem.toLowerCase().endsWith(`.${ending}`) ? stem : `${stem}.${ending}`,
    mediaType: document.mediaType,
    bytes: await context.rooms.memory.payload(context.org, document.id),
  };
}
