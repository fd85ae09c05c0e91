// Makes RFC 5322 messages of the written story, as common mail programs do: signatures, quotes of what is
// answered, plain and HTML forms, attachments, encoded words. The same story gives the same bytes.
import { createHash } from 'node:crypto';
import { attachment } from './data/attachments.ts';
import { type Contact, contact } from './data/people.ts';
import { rfc5322Date, type StoryDates, zone } from './dates.ts';
import type { ScriptMessage } from './script.ts';

export interface Composed {
  script: ScriptMessage;
  messageId: string;
  /** Integer ms. */
  at: number;
  raw: Buffer;
  from: Contact;
  recipients: Contact[];
}

/** Of a message already composed, what a reply needs. */
interface Earlier {
  messageId: string;
  references: string[];
  subject: string;
  attribution: string;
  text: string;
  /** Keys of those who wrote or got it. */
  seenBy: Set<string>;
}

// Mail programs quote everything; people cut it down. This is where the story's people cut.
const quotedLevels = 3;

const digest = (text: string, length: number) =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

function encodedWord(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let piece = '';
  for (const char of text) {
    if (Buffer.byteLength(piece + char) > 42) {
      words.push(piece);
      piece = '';
    }
    piece += char;
  }
  words.push(piece);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

function mailbox({ name, email }: Contact): string {
  const shown = encodedWord(name);
  const safe = shown.startsWith('=?') || /^[A-Za-z0-9 '-]+$/.test(shown);
  return `${safe ? shown : `"${shown.replace(/["\\]/g, '\\$&')}"`} <${email}>`;
}

function addressField(name: string, people: Contact[]): string[] {
  return people.length === 0 ? [] : [`${name}: ${people.map(mailbox).join(',\r\n ')}`];
}

function wrap(paragraph: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

const wrapAll = (text: string, width: number) =>
  text
    .split('\n')
    .map((line) => (line.startsWith('>') ? line : wrap(line, width)))
    .join('\n');

function quotedPrintable(bytes: Buffer): string {
  const lines: string[] = [];
  for (const line of bytes.toString('latin1').split('\n')) {
    let out = '';
    const plain = line.replace(/\r$/, '');
    for (const [index, char] of [...plain].entries()) {
      const code = char.charCodeAt(0);
      const trailing = index === plain.length - 1 && char === ' ';
      const safe = code >= 32 && code <= 126 && char !== '=' && !trailing;
      const piece = safe ? char : `=${code.toString(16).toUpperCase().padStart(2, '0')}`;
      if (out.length + piece.length > 75) {
        lines.push(`${out}=`);
        out = '';
      }
      out += piece;
    }
    lines.push(out);
  }
  return lines.join('\r\n');
}

const base64Lines = (bytes: Buffer) => bytes.toString('base64').replace(/(.{76})/g, '$1\r\n');
const crlf = (text: string) => text.replace(/\r?\n/g, '\r\n');

function textPart(subtype: string, text: string, latin1: boolean): string {
  const charset = latin1 ? 'iso-8859-1' : 'utf-8';
  const type = `Content-Type: text/${subtype}; charset=${charset}`;
  if (/^\p{ASCII}*$/u.test(text) && text.split('\n').every((line) => line.length < 200)) {
    return `${type}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${crlf(text)}\r\n`;
  }
  const bytes = Buffer.from(text, latin1 ? 'latin1' : 'utf8');
  if (/[\u3040-\u30ff\u4e00-\u9fff]/.test(text)) {
    return `${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(bytes)}\r\n`;
  }
  return `${type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(bytes)}\r\n`;
}

const htmlText = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function htmlBody(own: string, signature: string, earlier: Earlier | undefined): string {
  const paragraphs = own
    .split(/\n{2,}/)
    .map((paragraph) => {
      const lines = paragraph.split('\n');
      if (lines.every((line) => line.startsWith('- '))) {
        return `<ul>${lines.map((line) => `<li>${htmlText(line.slice(2))}</li>`).join('')}</ul>`;
      }
      return `<p>${lines.map(htmlText).join('<br>\n')}</p>`;
    })
    .join('\n');
  const signed =
    signature === '' ? '' : `\n<div class="signature">${htmlText(signature).replace(/\n/g, '<br>\n')}</div>`;
  const quoted =
    earlier === undefined
      ? ''
      : `\n<div class="quote">${htmlText(earlier.attribution)}<blockquote style="border-left:1px solid #ccc;padding-left:1ex">${htmlText(earlier.text).replace(/\n/g, '<br>\n')}</blockquote></div>`;
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><style>p{margin:0 0 1em}</style></head><body>\n${paragraphs}${signed}${quoted}\n</body></html>`;
}

function attachmentPart(name: string, dates: StoryDates, day: number): string {
  const { mediaType, bytes } = attachment(name, dates, day);
  return `Content-Type: ${mediaType}; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(bytes)}\r\n`;
}

function multipart(kind: string, boundary: string, parts: string[]): string {
  const inner = parts.map((part) => `--${boundary}\r\n${part}`).join('');
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${inner}--${boundary}--\r\n`;
}

const shortDate = new Intl.DateTimeFormat('en-US', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: zone,
});

const attribution = (from: Contact, at: number) =>
  `On ${shortDate.format(at)}, ${from.name} <${from.email}> wrote:`;

/**
 * What `script` answers: the latest of its thread that its writer and all its readers saw, else the latest
 * that its writer and one of them saw.
 */
function answered(script: ScriptMessage, thread: Earlier[]): Earlier | undefined {
  if (script.ownSubject !== undefined) return undefined;
  const readers = [...script.to, ...script.cc];
  const seen = thread.filter(({ seenBy }) => seenBy.has(script.from));
  return (
    seen.findLast(({ seenBy }) => readers.every((reader) => seenBy.has(reader))) ??
    seen.findLast(({ seenBy }) => readers.some((reader) => seenBy.has(reader)))
  );
}

/** All messages of the story in the order in which they were written. */
export function composeAll(scripts: ScriptMessage[], dates: StoryDates): Composed[] {
  const threads = new Map<string, Earlier[]>();
  const composed: Composed[] = [];
  const inOrder = scripts
    .map((script) => ({ script, at: dates.at(script.day, `${script.time}:${secondOf(script)}`) }))
    .sort((a, b) => a.at - b.at);
  for (const { script, at } of inOrder) {
    const thread = threads.get(script.thread) ?? [];
    if (script.number !== thread.length + 1) {
      throw new Error(`"${script.subject}": the messages of a thread must stand in the order of their times`);
    }
    const { message, next } = composeOne(script, at, dates, answered(script, thread));
    threads.set(script.thread, [...thread, next]);
    composed.push(message);
  }
  return composed;
}

/** Seconds of a minute, so that no two mails share a moment by rule. */
const secondOf = (script: ScriptMessage) =>
  String(Number.parseInt(digest(`${script.thread}${script.number}`, 4), 16) % 60).padStart(2, '0');

/** `text` as a quote, without the lines that were quoted too often already. */
function quoted(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('>'.repeat(quotedLevels)))
    .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`))
    .join('\n');
}

function composeOne(
  script: ScriptMessage,
  at: number,
  dates: StoryDates,
  earlier: Earlier | undefined,
): { message: Composed; next: Earlier } {
  const from = contact(script.from);
  const to = script.to.map(contact);
  const cc = script.cc.map(contact);
  const { marks, language } = script;
  const key = `${script.thread}/${script.number}`;
  const messageId = `<${digest(key, 20)}.${script.number}@${from.email.split('@')[1]}>`;
  const written = dates.fill(script.ownSubject ?? script.subject, script.day, language);
  const subject = earlier?.subject ?? written;
  const own = dates.fill(script.body, script.day, language);
  const signature = marks.has('nosig') ? '' : (from.signature ?? '');
  const quoting = marks.has('noquote') ? undefined : earlier;
  const signed = signature === '' ? own : `${own}\n\n${signature}`;
  const plain = wrapAll(signed, 76);
  const quote = quoting === undefined ? '' : `\n\n${quoting.attribution}\n${quoted(quoting.text)}`;
  const references = earlier === undefined ? [] : [...earlier.references, earlier.messageId];

  const headers = [
    `Return-Path: <${from.email}>`,
    `Received: from mx.${from.email.split('@')[1]} by mail.sandbox.test with ESMTPS id ${digest(key, 12)};\r\n ${rfc5322Date(at + 2000)}`,
    `Date: ${rfc5322Date(at)}`,
    `From: ${mailbox(from)}`,
    ...addressField('To', to),
    ...addressField('Cc', cc),
    `Subject: ${encodedWord(earlier === undefined ? subject : `Re: ${subject}`)}`,
    `Message-ID: ${messageId}`,
    ...(earlier === undefined
      ? []
      : [`In-Reply-To: ${earlier.messageId}`, `References: ${references.join('\r\n ')}`]),
    ...(marks.has('list')
      ? [
          `List-Id: <news.${from.email.split('@')[1]}>`,
          `List-Unsubscribe: <mailto:leave@${from.email.split('@')[1]}>`,
        ]
      : []),
    'MIME-Version: 1.0',
  ];
  const latin1 = marks.has('latin1');
  const html = () => textPart('html', htmlBody(own, signature, quoting), false);
  const words = marks.has('html-only')
    ? html()
    : marks.has('html')
      ? multipart('alternative', `alt_${digest(key, 16)}`, [textPart('plain', plain + quote, latin1), html()])
      : textPart('plain', plain + quote, latin1);
  const files = script.attachments.map((name) => attachmentPart(name, dates, script.day));
  const content =
    files.length === 0 ? words : multipart('mixed', `mix_${digest(key, 16)}`, [words, ...files]);
  const raw = Buffer.from(`${headers.join('\r\n')}\r\n${content}`, 'utf8');
  return {
    message: { script, messageId, at, raw, from, recipients: [...to, ...cc] },
    next: {
      messageId,
      references,
      subject,
      attribution: attribution(from, at),
      text: plain + quote,
      seenBy: new Set([script.from, ...script.to, ...script.cc]),
    },
  };
}
