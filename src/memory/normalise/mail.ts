// A mail message (RFC 5322, MIME) as people read it. Whatever is malformed is read as far as it goes.
import { type Address, addressParser, type Email } from 'postal-mime';
import { parseMail } from '../../providers/mail/parse.ts';
import type { Person } from '../../providers/record.ts';
import { attachedFiles, attachmentBytes } from './attachments.ts';
import { cleanBlock, cleanLine } from './clean.ts';
import { htmlToText } from './html.ts';
import { mailDate } from './mail-date.ts';
import { distributionOf } from './mail-lists.ts';
import type { Normalised } from './normalised.ts';
import { isAnswerSubject, newWords } from './quotes.ts';
import { decodeText } from './text.ts';

/** With its brackets. */
const shortestId = 14;
const noSubject = '(no subject)';
/** What is read of a message that is not MIME at all. */
const fallbackLength = 200_000;

function peopleOf(addresses: readonly Address[], role: Person['role']): Person[] {
  return addresses
    .flatMap((entry) => (entry.group === undefined ? [entry] : entry.group))
    .flatMap((entry): Person[] => {
      const address = cleanLine(entry.address).toLowerCase();
      const name = cleanLine(entry.name).replace(/^['"]+|['"]+$/gu, '');
      if (!/^[^\s@]+@[^\s@]+$/u.test(address)) return name === '' ? [] : [{ name, role }];
      return [{ address, ...(name === '' || name.toLowerCase() === address ? {} : { name }), role }];
    });
}

function messageIds(header: string | undefined): string[] {
  return (header ?? '').match(/<[^<>\s]+>/gu) ?? [];
}

function attachmentLines(mail: Email): string {
  return mail.attachments
    .filter((attachment) => attachment.related !== true && attachment.filename !== null)
    .map((attachment) => {
      const { content } = attachment;
      const size = typeof content === 'string' ? content.length : content.byteLength;
      return `[attachment: ${cleanLine(attachment.filename ?? '')}, ${attachment.mimeType}, ${size} bytes]`;
    })
    .join('\n');
}

function bodyOf(mail: Email): string {
  const plain = cleanBlock(mail.text ?? '');
  if (plain !== '' || mail.html === undefined) return plain;
  return cleanBlock(htmlToText(mail.html));
}

/** Of an id that is none strangers have the same: to "Which message does it answer?" people type `yes`. */
function threadIds(header: string | undefined): string[] {
  return messageIds(header).filter((id) => id.includes('@') || id.length >= shortestId);
}

/** RFC 5322, sections 3.6.4: the root of a thread is the first of References, else the message answered, else itself. */
function threadOf(mail: Email): string | undefined {
  return threadIds(mail.references)[0] ?? threadIds(mail.inReplyTo)[0] ?? messageIds(mail.messageId)[0];
}

function unreadable(raw: Uint8Array): Normalised {
  const text = cleanBlock(decodeText(raw.subarray(0, fallbackLength)));
  return {
    title: noSubject,
    text,
    spans: newWords(text, ''),
    cut: 'record',
    people: [],
    facts: { malformed: true },
  };
}

/** The bytes of the attachment with this id; undefined where the mail has none such. */
export async function attachmentIn(raw: Uint8Array, id: string): Promise<Uint8Array | undefined> {
  return attachmentBytes((await parseMail(raw)).attachments, id);
}

export async function readMail(raw: Uint8Array): Promise<Normalised> {
  let mail: Email;
  try {
    mail = await parseMail(raw);
  } catch {
    // Nested too deep, headers without end: the words in it can still be found.
    return unreadable(raw);
  }
  const subject = cleanLine(mail.subject ?? '');
  const body = bodyOf(mail);
  const attached = attachmentLines(mail);
  const { files, left } = attachedFiles(mail.attachments);
  const isAnswer = isAnswerSubject(subject) || mail.inReplyTo !== undefined || mail.references !== undefined;
  const spans = newWords(body, subject, isAnswer);
  let text = body;
  if (attached !== '') {
    text = body === '' ? attached : `${body}\n\n${attached}`;
    spans.push({ start: text.length - attached.length, end: text.length });
  }
  const headerOf = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
  const writtenAt = mailDate(headerOf('date'));
  const threadId = threadOf(mail);
  const people = [
    ...peopleOf(addressParser(headerOf('from') ?? ''), 'from'),
    ...peopleOf(mail.to ?? [], 'to'),
    ...peopleOf([...(mail.cc ?? []), ...(mail.bcc ?? [])], 'cc'),
  ];
  const ids = {
    messageId: messageIds(mail.messageId)[0],
    inReplyTo: messageIds(mail.inReplyTo)[0],
    references: messageIds(mail.references),
  };
  return {
    title: subject === '' ? noSubject : subject,
    text,
    spans,
    cut: 'record',
    ...(files.length === 0 ? {} : { attached: files }),
    ...(left.length === 0 ? {} : { attachmentsLeft: left }),
    people,
    ...(threadId === undefined ? {} : { threadId }),
    ...(writtenAt === undefined ? {} : { writtenAt }),
    facts: {
      ...distributionOf(mail.headers, people),
      ...(ids.messageId === undefined ? {} : { messageId: ids.messageId }),
      ...(ids.inReplyTo === undefined ? {} : { inReplyTo: ids.inReplyTo }),
      ...(ids.references.length === 0 ? {} : { references: ids.references }),
      ...(mail.replyTo === undefined ? {} : { replyTo: peopleOf(mail.replyTo, 'from') }),
    },
  };
}
