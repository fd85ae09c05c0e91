// A stored mail as Gmail's API shows it: its parts with decoded bodies, its headers readable, a snippet.
import { createHash } from 'node:crypto';
import { type Part, parsePart } from '../mime.ts';

export interface Payload {
  partId: string;
  mimeType: string;
  filename: string;
  headers: { name: string; value: string }[];
  body: { size: number; data?: string; attachmentId?: string };
  parts?: Payload[];
}

/** Above this a body comes apart, by an attachment id. */
const inlineLimit = 512 * 1024;

export function payloadOf(raw: Buffer): Payload {
  return payload(parsePart(raw), '');
}

function payload(part: Part, partId: string): Payload {
  const filename = nameOf(part);
  const bytes = part.children.length > 0 ? Buffer.alloc(0) : decoded(part);
  const apart = filename !== '' || bytes.length > inlineLimit;
  return {
    partId,
    mimeType: `${part.type}/${part.subtype}`,
    filename,
    headers: part.fields.map(([name, value]) => ({ name, value: readable(value) })),
    body: {
      size: bytes.length,
      ...(bytes.length === 0
        ? {}
        : apart
          ? { attachmentId: createHash('sha256').update(bytes).digest('base64url') }
          : { data: asUtf8(part, bytes).toString('base64url') }),
    },
    ...(part.children.length === 0
      ? {}
      : {
          parts: part.children.map((child, index) =>
            payload(child, partId === '' ? String(index) : `${partId}.${index}`),
          ),
        }),
  };
}

function nameOf(part: Part): string {
  const disposition = part.fields.find(([name]) => name.toLowerCase() === 'content-disposition')?.[1] ?? '';
  const given = /filename="?([^";]+)"?/i.exec(disposition)?.[1];
  return readable(given ?? part.parameters.find(([name]) => name === 'name')?.[1] ?? '');
}

function decoded(part: Part): Buffer {
  const encoding =
    part.fields.find(([name]) => name.toLowerCase() === 'content-transfer-encoding')?.[1] ?? '';
  if (/^base64$/i.test(encoding.trim())) return Buffer.from(part.body.toString('latin1'), 'base64');
  if (!/^quoted-printable$/i.test(encoding.trim())) return part.body;
  const text = part.body
    .toString('latin1')
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

function asUtf8(part: Part, bytes: Buffer): Buffer {
  const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? 'utf-8';
  if (part.type !== 'text' || /^(utf-8|us-ascii)$/i.test(charset)) return bytes;
  return Buffer.from(new TextDecoder(charset).decode(bytes));
}

/** Encoded words (RFC 2047) in plain letters. */
function readable(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?([^?]+)\?([QB])\?([^?]*)\?=/gi, (_, charset: string, kind: string, text: string) => {
      const bytes =
        kind.toUpperCase() === 'B'
          ? Buffer.from(text, 'base64')
          : Buffer.from(
              text
                .replaceAll('_', ' ')
                .replace(/=([0-9A-F]{2})/gi, (_match, hex: string) =>
                  String.fromCharCode(Number.parseInt(hex, 16)),
                ),
              'latin1',
            );
      return new TextDecoder(charset).decode(bytes);
    });
}

/** The words of a mail, for searching and for its snippet. */
export function textOf(part: Payload): string {
  if (part.parts !== undefined) return part.parts.map(textOf).join('\n');
  if (!part.mimeType.startsWith('text/') || part.filename !== '') return '';
  const text = Buffer.from(part.body.data ?? '', 'base64url').toString('utf8');
  return part.mimeType === 'text/html' ? text.replace(/<[^>]*>/g, ' ') : text;
}

export function snippetOf(part: Payload): string {
  return textOf(part).replace(/\s+/g, ' ').trim().slice(0, 200);
}
