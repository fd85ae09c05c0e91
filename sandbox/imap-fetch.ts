// FETCH items of the sandbox's IMAP server (RFC 3501 6.4.5, RFC 7162 MODSEQ).
import { BadCommand, formatDateTime, type Token, word } from './imap-syntax.ts';
import type { StoredMessage } from './mailboxes.ts';
import { bodyStructure, envelope, parsePart, partAt, splitHeader } from './mime.ts';

const macros: Record<string, string[]> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

/** The items of a FETCH as upper-case words, macros written out. */
export function fetchItems(token: Token | undefined): string[] {
  const list = Array.isArray(token)
    ? token.map((item) => word(item, 'a fetch item'))
    : [word(token, 'items')];
  return list.flatMap((item) => macros[item.toUpperCase()] ?? [item]);
}

/** Whether fetching `item` marks the message as read. */
export function marksSeen(item: string): boolean {
  return /^(BODY\[|RFC822$|RFC822\.TEXT$)/i.test(item);
}

function headerSubset(header: Buffer, names: string[], not: boolean): Buffer {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const kept: string[] = [];
  let keep = false;
  for (const line of header.toString('latin1').split(/(?<=\n)/)) {
    if (!/^[ \t]/.test(line)) {
      const name = line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase();
      keep = name !== '' && wanted.has(name) !== not;
    }
    if (keep) kept.push(line);
  }
  return Buffer.from(`${kept.join('')}\r\n`, 'latin1');
}

function section(message: StoredMessage, spec: string): Buffer | undefined {
  if (spec === '') return message.raw;
  const match = /^((?:\d+\.)*\d+)?\.?(HEADER\.FIELDS(?:\.NOT)?|HEADER|TEXT|MIME)?(?:\s*\(([^)]*)\))?$/i.exec(
    spec,
  );
  if (match === null) throw new BadCommand(`unknown section ${spec}`);
  const path = match[1]?.split('.').map(Number) ?? [];
  const part = partAt(parsePart(message.raw), path);
  if (part === undefined) return undefined;
  const kind = match[2]?.toUpperCase() ?? '';
  if (kind === '') return part.body;
  if (kind === 'MIME') return part.header;
  // HEADER and TEXT of a numbered part speak about the message inside it (RFC 3501 6.4.5).
  const inner = path.length === 0 ? { header: part.header, body: part.body } : splitHeader(part.body);
  if (kind === 'TEXT') return inner.body;
  if (kind === 'HEADER') return inner.header;
  const names = (match[3] ?? '').split(/\s+/).filter((name) => name !== '');
  return headerSubset(
    inner.header,
    names.map((name) => name.replaceAll('"', '')),
    kind.endsWith('.NOT'),
  );
}

function literal(bytes: Buffer | undefined): string {
  return bytes === undefined ? 'NIL' : `{${bytes.length}}\r\n${bytes.toString('latin1')}`;
}

/** One item of a FETCH response, `NAME value`, in latin1. @throws BadCommand */
export function fetchItem(message: StoredMessage, item: string): string {
  const name = item.toUpperCase();
  switch (name) {
    case 'UID':
      return `UID ${message.uid}`;
    case 'FLAGS':
      return `FLAGS (${[...message.flags].join(' ')})`;
    case 'INTERNALDATE':
      return `INTERNALDATE "${formatDateTime(message.internalDate)}"`;
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${message.raw.length}`;
    case 'MODSEQ':
      return `MODSEQ (${message.modseq})`;
    case 'ENVELOPE':
      return `ENVELOPE ${envelope(parsePart(message.raw).fields)}`;
    case 'BODYSTRUCTURE':
      return `BODYSTRUCTURE ${bodyStructure(parsePart(message.raw), true)}`;
    case 'BODY':
      return `BODY ${bodyStructure(parsePart(message.raw), false)}`;
    case 'RFC822':
      return `RFC822 ${literal(message.raw)}`;
    case 'RFC822.HEADER':
      return `RFC822.HEADER ${literal(section(message, 'HEADER'))}`;
    case 'RFC822.TEXT':
      return `RFC822.TEXT ${literal(section(message, 'TEXT'))}`;
  }
  const body = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)(?:\.(\d+))?>)?$/i.exec(item);
  if (body === null) throw new BadCommand(`unknown fetch item ${item}`);
  const bytes = section(message, body[1] ?? '');
  if (body[2] === undefined) return `BODY[${body[1]}] ${literal(bytes)}`;
  const from = Number(body[2]);
  const to = body[3] === undefined ? undefined : from + Number(body[3]);
  return `BODY[${body[1]}]<${from}> ${literal(bytes?.subarray(from, to))}`;
}
