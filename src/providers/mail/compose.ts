// The bytes of a mail and the list of who gets it, both exactly as they were approved: what the composer
// made is read back by another parser before anything leaves.
import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import PostalMime, { type Address } from 'postal-mime';
import { DrawbridgeError } from '../../errors.ts';
import { checkAddress, fewOf, type MailAddress, type MailSend } from '../capabilities.ts';
import type { WriteContext } from '../define.ts';

const attachmentLimit = 25 * 1024 * 1024;
const recipientLimit = 100;
const messageIdForm = /^<[^\s<>@\p{Cc}]{1,200}@[^\s<>@\p{Cc}]{1,200}>$/u;
const mediaTypeForm = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/i;

/** Whose mail it is, and how hidden recipients are told to the server. */
export interface Sender {
  email: string;
  name?: string | undefined;
  /** `envelope`: they stand in no byte of the mail. `header`: the server reads Bcc and takes it out (Gmail's API). */
  bcc: 'envelope' | 'header';
  /** One more header, for finding the mail again; name and value are ours. */
  mark?: { name: string; value: string };
}

export interface ComposedMail {
  bytes: Buffer;
  messageId: string;
  from: string;
  /** Each approved recipient once, in the order to, cc, bcc. */
  recipients: string[];
}

function refuse(field: string, why: string): never {
  throw new DrawbridgeError('invalid_request', `${field}: ${why}`, { field });
}

/** @throws DrawbridgeError `invalid_request` naming the field whose content could change more than itself. */
export function checkMail(mail: MailSend): void {
  for (const list of ['to', 'cc', 'bcc'] as const) {
    for (const [index, address] of mail[list].entries()) checkAddress(address, `${list}.${index}`);
  }
  if (mail.to.length === 0) refuse('to', 'name at least one recipient');
  if (mail.to.length + mail.cc.length + mail.bcc.length > recipientLimit) {
    refuse('to', `more than ${recipientLimit} recipients; a mailing list is the tool for that`);
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(mail.subject)) {
    refuse('subject', 'the subject holds a line break or a control character');
  }
  if (mail.subject.length > 900) refuse('subject', 'the subject is longer than 900 characters');
  for (const part of ['text', 'html'] as const) {
    if (mail[part]?.includes('\0')) refuse(part, 'the body holds a NUL character');
  }
  if (mail.inReplyTo !== undefined && !messageIdForm.test(mail.inReplyTo)) {
    refuse('inReplyTo', 'must be one message id in angle brackets');
  }
  for (const [index, reference] of mail.references.entries()) {
    if (!messageIdForm.test(reference))
      refuse(`references.${index}`, 'must be one message id in angle brackets');
  }
  let total = 0;
  for (const [index, attachment] of mail.attachments.entries()) {
    const field = `attachments.${index}`;
    const { name } = attachment;
    if (name.trim() === '' || name === '.' || name === '..' || name.length > 255) {
      refuse(`${field}.name`, 'must be a file name of at most 255 characters');
    }
    if (/[/\\\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) {
      refuse(`${field}.name`, 'holds a path separator, a control or a direction-changing character');
    }
    if (!mediaTypeForm.test(attachment.mediaType)) {
      refuse(`${field}.mediaType`, 'must be a media type without parameters, such as application/pdf');
    }
    if (!/^[0-9a-f]{64}$/.test(attachment.sha256)) refuse(`${field}.sha256`, 'must be a SHA-256 in hex');
    total += attachment.size;
  }
  if (total > attachmentLimit) refuse('attachments', 'together larger than 25 MB');
}

/**
 * Composes the approved mail to bytes, with our own Message-ID made of the effect key.
 * @throws DrawbridgeError `invalid_request` for a payload that must not be composed, `internal` when the result
 * is not what was approved.
 */
export async function compose(context: WriteContext, mail: MailSend, sender: Sender): Promise<ComposedMail> {
  checkMail(mail);
  const messageId = messageIdOf(context, sender.email);
  const from = { address: sender.email, name: sender.name ?? '' };
  const composer = new MailComposer({
    from,
    // Objects, never strings: the library's address parser takes a line break for a second address.
    to: mail.to.map(asAddress),
    cc: mail.cc.map(asAddress),
    ...(sender.bcc === 'header' ? { bcc: mail.bcc.map(asAddress) } : {}),
    subject: mail.subject,
    messageId,
    date: new Date(context.clock.now()),
    text: mail.text,
    ...(mail.html === undefined ? {} : { html: mail.html }),
    ...(mail.inReplyTo === undefined ? {} : { inReplyTo: mail.inReplyTo }),
    ...(mail.references.length === 0 ? {} : { references: mail.references.join(' ') }),
    attachments: await Promise.all(
      mail.attachments.map(async ({ name, mediaType, sha256 }) => ({
        filename: name,
        contentType: mediaType,
        content: await attachmentBytes(context, sha256),
      })),
    ),
    newline: 'windows',
    baseBoundary: context.effectKey,
    ...(sender.mark === undefined ? {} : { headers: { [sender.mark.name]: sender.mark.value } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const root = composer.compile();
  root.keepBcc = sender.bcc === 'header';
  const bytes = await root.build();
  const composed = { bytes, messageId, from: sender.email, recipients: recipientsOf(mail) };
  await verify(composed, mail, sender.bcc === 'header' ? mail.bcc : []);
  return composed;
}

/** Our own Message-ID: unguessable, the same on every attempt. `email`: the sender's. */
export function messageIdOf(context: WriteContext, email: string): string {
  return `<${context.effectKey}@${email.slice(email.indexOf('@') + 1)}>`;
}

function asAddress({ email, name }: MailAddress): { address: string; name: string } {
  return { address: email, name: name ?? '' };
}

function recipientsOf(mail: MailSend): string[] {
  return [...new Set([...mail.to, ...mail.cc, ...mail.bcc].map(({ email }) => email))];
}

/** Those that were approved. @throws DrawbridgeError `internal`, `not_found` */
export async function attachmentBytes(context: WriteContext, sha256: string): Promise<Buffer> {
  const bytes = Buffer.from(await context.attachment(sha256));
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new DrawbridgeError(
      'internal',
      'An attachment is not the one that was approved; nothing was sent.',
    );
  }
  return bytes;
}

/** Whom policy and the approval page look at: all, the hidden ones too. */
export function mailConcerns({ to, cc, bcc }: MailSend): { recipients: string[] } {
  return { recipients: [...to, ...cc, ...bcc].map(({ email }) => email) };
}

/** What a person reads of a mail in a list, from the whole of it. */
export function mailInWords(deed: string, mail: MailSend): string {
  const everyone = fewOf([...mail.to, ...mail.cc, ...mail.bcc]);
  const files = mail.attachments.map(({ name }) => name);
  const hidden = mail.bcc.length === 0 ? '' : ` (${mail.bcc.length} hidden)`;
  return (
    `${deed} to ${everyone}${hidden}: “${mail.subject}”` +
    (files.length === 0 ? '' : `, with ${files.join(', ')}`)
  );
}

/** Reads the composed header with a parser that did not write it, and compares it with the approved mail. */
async function verify(composed: ComposedMail, mail: MailSend, bcc: readonly MailAddress[]): Promise<void> {
  const end = composed.bytes.indexOf('\r\n\r\n');
  const read = await PostalMime.parse(composed.bytes.subarray(0, end + 4));
  const keys = read.headers.map(({ key }) => key);
  const once = ['from', 'to', 'cc', 'bcc', 'subject', 'message-id', 'date', 'in-reply-to', 'references'];
  const same =
    end > 0 &&
    sameAddresses(read.from === undefined ? [] : [read.from], [composed.from]) &&
    sameAddresses(
      read.to ?? [],
      mail.to.map(({ email }) => email),
    ) &&
    sameAddresses(
      read.cc ?? [],
      mail.cc.map(({ email }) => email),
    ) &&
    sameAddresses(
      read.bcc ?? [],
      bcc.map(({ email }) => email),
    ) &&
    read.messageId === composed.messageId &&
    once.every((name) => keys.filter((key) => key === name).length <= 1) &&
    !keys.some((key) => key === 'sender' || key.startsWith('resent-'));
  if (!same) {
    throw new DrawbridgeError(
      'internal',
      'The composed mail is not the one that was approved; nothing was sent.',
    );
  }
}

function sameAddresses(read: Address[], approved: string[]): boolean {
  return (
    read.length === approved.length &&
    read.every((address, index) => address.address?.toLowerCase() === approved[index]?.toLowerCase())
  );
}
