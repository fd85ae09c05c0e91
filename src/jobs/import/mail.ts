// A mail file (.eml), and the identity that makes one mail in two files one document.
import { createHash } from 'node:crypto';
import type { SourceRecord } from '../../providers/record.ts';
import { type Item, largestRecord, mebibytes, type ReadRequest } from './item.ts';

const identifying = ['message-id', 'date', 'from', 'subject'];
const newline = 0x0a;
const carriageReturn = 0x0d;
// Hashed in stretches: a large mail as one text would be held several times over.
const stretchBytes = 64 * 1024;

/** Where the line ends that the blank one follows, its end included; undefined where no blank line is. */
function headerEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
    const next = bytes[at + 1] === carriageReturn ? bytes[at + 2] : bytes[at + 1];
    if (next === newline) return at + 1;
  }
  return undefined;
}

const textOf = (bytes: Buffer, from: number, to: number): string =>
  bytes.toString('latin1', from, to).replaceAll('\r\n', '\n');

/** The body from `from` on in whole lines, with its line ends and without "From " quoting and white space at its end. */
function* bodyText(bytes: Buffer, from: number): Iterable<string> {
  let held = '';
  for (let at = from; at < bytes.length; ) {
    const line = bytes.indexOf(newline, at + stretchBytes);
    const end = line === -1 ? bytes.length : line + 1;
    const text = held + textOf(bytes, at, end).replace(/^>*From /gm, 'From ');
    const settled = text.trimEnd();
    yield settled;
    held = text.slice(settled.length);
    at = end;
  }
}

/**
 * The external id of a mail: a hash of its Message-ID, date, sender, subject and body. A mailbox's own
 * marks (Status, X-Gmail-Labels …), its line ends and its "From " quoting do not count; the body does, so
 * that nobody replaces a stored mail by sending another under its Message-ID.
 */
function mailIdentity(raw: Uint8Array): string {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = headerEnd(bytes);
  const head = end === undefined ? textOf(bytes, 0, bytes.length) : textOf(bytes, 0, end).slice(0, -1);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (identifying.includes(name) && !headers.has(name)) {
      headers.set(
        name,
        line
          .slice(colon + 1)
          .replace(/\s+/g, ' ')
          .trim(),
      );
    }
  }
  const seen = identifying.map((name) => headers.get(name) ?? '');
  const hash = createHash('sha256').update(`${JSON.stringify(seen)}\n`);
  if (end !== undefined) {
    // The blank line has an end of its own.
    const body = bytes.indexOf(newline, end) + 1;
    for (const text of bodyText(bytes, body)) hash.update(text);
  }
  return `mail:${hash.digest('hex')}`;
}

/** Whether the bytes begin as RFC 5322 headers do. */
export function looksLikeMail(raw: Uint8Array): boolean {
  const head = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, 1000)).toString('latin1');
  return /^[!-9;-~]+[ \t]*:/.test(head);
}

/** The record of one raw mail. */
export function mailRecord(raw: Uint8Array): SourceRecord {
  return { externalId: mailIdentity(raw), kind: 'mail', mediaType: 'message/rfc822', raw };
}

export async function* readEml({ file, source }: ReadRequest): AsyncIterable<Item> {
  const next = source.size;
  if (source.size > largestRecord) {
    yield { place: file, reason: `larger than ${mebibytes(largestRecord)}`, next };
    return;
  }
  const raw = await source.read(0, source.size);
  if (!looksLikeMail(raw)) yield { place: file, reason: 'not a mail: it does not begin with a header', next };
  else yield { record: mailRecord(raw), place: file, next };
}
