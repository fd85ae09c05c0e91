// A mail file (.eml), and the identity that makes one mail in two files one document.
import type { SourceRecord } from '../../providers/record.ts';
import { type Item, largestRecord, mebibytes, type ReadRequest, sha256 } from './item.ts';

const identifying = ['message-id', 'date', 'from', 'subject'];

/**
 * The external id of a mail: a hash of its Message-ID, date, sender, subject and body. A mailbox's own
 * marks (Status, X-Gmail-Labels …), its line ends and its "From " quoting do not count; the body does, so
 * that nobody replaces a stored mail by sending another under its Message-ID.
 */
function mailIdentity(raw: Uint8Array): string {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
    .toString('latin1')
    .replaceAll('\r\n', '\n');
  const split = text.indexOf('\n\n');
  const head = split === -1 ? text : text.slice(0, split);
  const body = split === -1 ? '' : text.slice(split + 2);
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
  const settled = body.replace(/^>*From /gm, 'From ').trimEnd();
  return `mail:${sha256(`${JSON.stringify(seen)}\n${settled}`)}`;
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
