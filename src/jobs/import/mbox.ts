// Mail folders: mboxo, mboxrd, mboxcl and mboxcl2, with either line end, message by message, however long
// the file is. Formats: https://www.loc.gov/preservation/digital/formats/fdd/fdd000383.shtml, RFC 4155.
import { type Item, largestRecord, mebibytes, type ReadRequest } from './item.ts';
import { looksLikeMail, mailRecord } from './mail.ts';
import { createWindow } from './window.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
const separator = Buffer.from('\nFrom ');
// A separator line and the header behind it fit into this many bytes.
const lookAhead = 2048;
const longestHeader = 256 * 1024;

function isBlankBefore(buffer: Buffer, at: number): boolean {
  if (at === 0) return true;
  if (buffer[at - 1] !== newline) return false;
  if (at === 1 || buffer[at - 2] === newline) return true;
  return buffer[at - 2] === carriageReturn && (at === 2 || buffer[at - 3] === newline);
}

/**
 * Whether a message begins at `at`: a "From " line behind a blank one, with the time that a mail program
 * writes there, or at least an address and then a header. A sentence that begins with "From " is neither.
 */
function isSeparator(buffer: Buffer, at: number): boolean {
  if (!isBlankBefore(buffer, at)) return false;
  const [line = '', next = ''] = buffer.toString('latin1', at, at + lookAhead).split(/\r?\n/, 2);
  if (!line.startsWith('From ')) return false;
  if (/\d{1,2}:\d{2}(:\d{2})?\b.*\b\d{4}\b|\b\d{4}\b.*\d{1,2}:\d{2}/.test(line)) return true;
  return /^From \S+\s*$/.test(line) && /^[!-9;-~]+:/.test(next);
}

/** Position of the next separator at or after `from`, or where to go on looking when more bytes are there. */
function findSeparator(buffer: Buffer, from: number, atEnd: boolean): { found: number } | { resume: number } {
  let at = from;
  for (;;) {
    const hit = buffer.indexOf(separator, Math.max(0, at - 1));
    if (hit === -1) return { resume: Math.max(from, buffer.length - separator.length) };
    const start = hit + 1;
    if (!atEnd && start + lookAhead > buffer.length) return { resume: start };
    if (start >= from && isSeparator(buffer, start)) return { found: start };
    at = start + 1;
  }
}

/** Where the body begins: behind the first blank line, with either line end; looked for in the bytes. */
function bodyStart(buffer: Buffer): number | undefined {
  const header = buffer.subarray(0, longestHeader);
  for (let at = header.indexOf(newline); at !== -1; at = header.indexOf(newline, at + 1)) {
    if (header[at + 1] === newline) return at + 2;
    if (header[at + 1] === carriageReturn && header[at + 2] === newline) return at + 3;
  }
  return undefined;
}

/**
 * Where mboxcl and mboxcl2 say that the message ends, believed only when a separator or the file's end
 * stands there; `more` while the bytes to judge by are not there yet.
 */
function declaredEnd(buffer: Buffer, atEnd: boolean): number | 'more' | undefined {
  const body = bodyStart(buffer);
  if (body === undefined) return atEnd || buffer.length >= longestHeader ? undefined : 'more';
  const head = buffer.toString('latin1', 0, body);
  const length = /^content-length:[ \t]*(\d{1,9})[ \t]*\r?$/im.exec(head)?.[1];
  if (length === undefined) return undefined;
  const end = body + Number(length);
  if (end > largestRecord) return undefined;
  if (!atEnd && end + lookAhead > buffer.length) return 'more';
  let at = end;
  while (at < buffer.length && at < end + 4 && (buffer[at] === newline || buffer[at] === carriageReturn)) {
    at += 1;
  }
  if (at === buffer.length && end <= buffer.length) return at;
  return at > end && isSeparator(buffer, at) ? at : undefined;
}

/** The mail inside one stretch of the file: without its separator line, the blank behind it, and the quoting. */
function unpack(stretch: Buffer, verbatim: boolean): Uint8Array {
  const first = stretch.indexOf(newline) + 1;
  let end = stretch.length;
  if (stretch[end - 1] === newline) {
    // One line end closes the last line; a second is the folder's own.
    const before = stretch[end - 2] === carriageReturn ? end - 2 : end - 1;
    if (stretch[before - 1] === newline) end = before;
  }
  const mail = stretch.subarray(first, end);
  if (verbatim || mail.indexOf('>From ') === -1) return mail;
  return Buffer.from(mail.toString('latin1').replace(/^>(>*From )/gm, '$1'), 'latin1');
}

export async function* readMbox({ file, source, from }: ReadRequest): AsyncIterable<Item> {
  let buffer: Buffer = Buffer.alloc(0);
  // File position of buffer[0], which is the first byte of the message in hand.
  let base = from;
  let looked = 1;
  let declared: number | 'more' | undefined = 'more';
  let oversized: number | undefined;
  let started = false;

  function* messages(atEnd: boolean): Iterable<Item> {
    for (;;) {
      if (buffer.length === 0) return;
      if (!started) {
        if (!atEnd && buffer.length < lookAhead) return;
        // Blank lines, or a BOM, before the first separator are nobody's.
        const lead = /^(?:\xef\xbb\xbf)?[\r\n]*/.exec(buffer.toString('latin1', 0, 1000))?.[0].length ?? 0;
        buffer = buffer.subarray(lead);
        base += lead;
        started = true;
        if (!buffer.toString('latin1', 0, 5).startsWith('From ')) {
          const first = findSeparator(buffer, 1, atEnd);
          yield {
            place: `${file}: byte ${base}`,
            reason: 'no "From " line begins here: what stands before the first one is not a message',
            next: 'found' in first ? base + first.found : base,
          };
        }
      }
      if (oversized === undefined && declared === 'more') {
        declared = declaredEnd(buffer, atEnd);
        if (declared === 'more') return;
      }
      const hint = typeof declared === 'number' ? declared : undefined;
      const outcome =
        hint === undefined
          ? findSeparator(buffer, looked, atEnd)
          : hint >= buffer.length
            ? { resume: hint }
            : { found: hint };
      if ('resume' in outcome && !atEnd) {
        looked = outcome.resume;
        if (buffer.length > largestRecord) {
          oversized ??= base;
          const dropped = looked - 3;
          buffer = buffer.subarray(dropped);
          base += dropped;
          looked = 3;
        }
        return;
      }
      const end = 'found' in outcome ? outcome.found : buffer.length;
      const next = base + end;
      if (oversized !== undefined) {
        yield {
          place: `${file}: byte ${oversized}`,
          reason: `larger than ${mebibytes(largestRecord)}`,
          next,
        };
      } else if (buffer.toString('latin1', 0, 5) === 'From ') {
        const stretch = buffer.subarray(0, end);
        const verbatim = hint !== undefined && 'found' in findSeparator(stretch, 1, true);
        const mail = unpack(stretch, verbatim);
        const place = `${file}: byte ${base}`;
        if (looksLikeMail(mail)) yield { record: mailRecord(mail), place, next };
        else yield { place, reason: 'not a mail: it does not begin with a header', next };
      }
      buffer = buffer.subarray(end);
      base = next;
      looked = 1;
      declared = 'more';
      oversized = undefined;
    }
  }

  const window = createWindow();
  let unseen = 0;
  for await (const piece of source.pieces(from)) {
    buffer = window.extend(buffer, piece);
    unseen += piece.length;
    // A long message is looked at in growing steps: else its header would be read anew with each piece.
    if (unseen * 5 < buffer.length) continue;
    unseen = 0;
    yield* messages(false);
  }
  if (source.size === 0) yield { place: file, reason: 'empty', next: 0 };
  yield* messages(true);
}
