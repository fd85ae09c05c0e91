// A mail parsed as people's programs read it, also where it breaks the rules: header bytes of old character sets,
// texts whose character set is named wrongly or not at all, a type that is none, a named text between two parts.
import { isUtf8 } from 'node:buffer';
import PostalMime, { type Email } from 'postal-mime';

/** What the parser knows of one part; it asks `isInlineTextNode` of each before it sorts it. */
interface Part {
  contentType: { parsed: { value: string; params: Record<string, string | undefined> } };
  contentDisposition: { parsed: { value: string; params: Record<string, string | undefined> } };
  content: ArrayBuffer | null;
  parentNode?: { contentType: { multipart: string | false } } | undefined;
}

/** Character sets that programs name without knowing: where the bytes are UTF-8, they are UTF-8. */
const vague =
  /^(?:|(?:us-)?ascii|ansi_x3\.4-1968|iso-?8859-?1|latin-?1|windows-1252|cp1252|x-unknown|unknown-8bit|unknown|default|[78]bit|binary)$/iu;
const typeForm = /^[^\s/<>]+\/[^\s/<>]+$/u;
const looked = 1000;

class MailParser extends PostalMime {
  private hasBody = false;

  /** In the place of the parser's own: whether a part belongs to the words of the mail. */
  isInlineTextNode(part: Part): boolean {
    const { contentType, contentDisposition, content } = part;
    const bytes = Buffer.from(content ?? new ArrayBuffer(0));
    if (!typeForm.test(contentType.parsed.value) && !bytes.subarray(0, looked).includes(0)) {
      // RFC 2045, 5.2: what has no proper type is plain text.
      const isHtml = /^\s*<(?:!doctype|html|head|body|div|table|p)\b|<br\s*\/?>/iu.test(
        bytes.toString('latin1', 0, looked),
      );
      contentType.parsed.value = isHtml ? 'text/html' : 'text/plain';
    }
    const { value, params } = contentType.parsed;
    if (contentDisposition.parsed.value === 'attachment') return false;
    if (value !== 'text/plain' && value !== 'text/html') return false;
    if (vague.test((params['charset'] ?? '').trim()) && isUtf8(bytes)) params['charset'] = 'utf-8';
    const isNamed = (contentDisposition.parsed.params['filename'] ?? params['name'] ?? '') !== '';
    const isVariant = part.parentNode?.contentType.multipart === 'alternative';
    // A file that is shown below the letter is no word of its writer's.
    if (isNamed && this.hasBody && !isVariant) return false;
    this.hasBody = true;
    return true;
  }
}

/** @throws Error for a message nested too deep, or with headers without end */
export async function parseMail(raw: Uint8Array): Promise<Email> {
  return new MailParser().parse(withHeaderInUtf8(raw));
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Where the header ends, its last line end included. */
function headerEnd(bytes: Buffer): number {
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
    const next = bytes[at + 1] === carriageReturn ? bytes[at + 2] : bytes[at + 1];
    if (next === newline) return at + 1;
  }
  return bytes.length;
}

/** The mail itself, or with the lines of its header that are no UTF-8 (RFC 6532) made so. */
function withHeaderInUtf8(raw: Uint8Array): Uint8Array {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const end = headerEnd(bytes);
  const header = bytes.subarray(0, end);
  if (isUtf8(header)) return raw;
  const named = /^content-type:[^\n]*(?:\n[ \t][^\n]*)*?charset\s*=\s*"?([\w.:-]+)/imu.exec(
    header.toString('latin1'),
  )?.[1];
  const lines: Buffer[] = [];
  for (let at = 0; at < end; ) {
    const next = header.indexOf(newline, at);
    const to = next === -1 ? end : next + 1;
    const line = header.subarray(at, to);
    lines.push(isUtf8(line) ? line : Buffer.from(decoded(line, named)));
    at = to;
  }
  return Buffer.concat([...lines, bytes.subarray(end)]);
}

/** One line of a header in an 8-bit character set: the one that the mail names for its text, else Windows-1252. */
function decoded(line: Buffer, named: string | undefined): string {
  // Inside an encoded word (RFC 2047) it is the word's own.
  const words = line
    .toString('latin1')
    .replace(/=\?[^?\s]+\?q\?[^?]*\?=/giu, (word) =>
      word.replace(/[\u0080-\u00ff]/gu, (byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase()}`),
    );
  const bytes = Buffer.from(words, 'latin1');
  return decodedBy(named ?? 'windows-1252', bytes) ?? new TextDecoder('windows-1252').decode(bytes);
}

/** Undefined where there is no such character set, or these bytes are none of its. */
function decodedBy(charset: string, bytes: Buffer): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}
