// The files that a mail carries, as records of their own: those that can be read, within bounds. Pictures
// inside the mail (logos, signatures) are none of them.
import { createHash } from 'node:crypto';
import type { Attachment } from 'postal-mime';
import type { RecordMediaType } from '../../providers/record.ts';
import { cleanLine } from './clean.ts';

/** Bytes. */
const largestAttachment = 20 * 1024 * 1024;
const mostAttachments = 30;

export interface AttachedFile {
  fileName: string;
  mediaType: RecordMediaType;
  raw: Uint8Array;
  /** The first half of the content's SHA-256, hex: what it is known by in its mail. */
  id: string;
}

const office = 'application/vnd.openxmlformats-officedocument.';
const byExtension: Readonly<Record<string, RecordMediaType>> = {
  pdf: 'application/pdf',
  docx: `${office}wordprocessingml.document`,
  docm: `${office}wordprocessingml.document`,
  xlsx: `${office}spreadsheetml.sheet`,
  xlsm: `${office}spreadsheetml.sheet`,
  pptx: `${office}presentationml.presentation`,
  pptm: `${office}presentationml.presentation`,
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  csv: 'text/plain',
  md: 'text/markdown',
  ics: 'text/calendar',
  vcf: 'text/vcard',
  vtt: 'text/vtt',
  srt: 'application/x-subrip',
};
const byType: Readonly<Record<string, RecordMediaType>> = {
  ...Object.fromEntries(Object.values(byExtension).map((type) => [type, type])),
  'text/csv': 'text/plain',
  'text/x-vcard': 'text/vcard',
  'text/directory': 'text/vcard',
  'application/ics': 'text/calendar',
  'application/x-pdf': 'application/pdf',
};

/** How a file of this type and name is read. Programs that do not know a type send it as a mere stream. */
function readableAs(mimeType: string, fileName: string): RecordMediaType | undefined {
  const extension = /\.([A-Za-z0-9]{1,8})$/u.exec(fileName)?.[1]?.toLowerCase() ?? '';
  return byExtension[extension] ?? byType[mimeType.toLowerCase()];
}

function bytesOf({ content }: Attachment): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

/** The name under which an attachment's content is known: the same content is the same file. */
function attachmentId(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

/** The bytes of the attachment that has this id; undefined where the mail holds none such. */
export function attachmentBytes(attachments: readonly Attachment[], id: string): Uint8Array | undefined {
  return attachments.map(bytesOf).find((bytes) => attachmentId(bytes) === id);
}

/** What can be read, and by its name what is too large or too much. */
export function attachedFiles(attachments: readonly Attachment[]): {
  files: AttachedFile[];
  left: { name: string; reason: string }[];
} {
  const files = new Map<string, AttachedFile>();
  const left: { name: string; reason: string }[] = [];
  for (const attachment of attachments) {
    const fileName = cleanLine(attachment.filename ?? '').slice(0, 200);
    const mediaType = readableAs(attachment.mimeType, fileName);
    if (attachment.related === true || fileName === '' || mediaType === undefined) continue;
    const raw = bytesOf(attachment);
    if (raw.byteLength === 0) continue;
    if (raw.byteLength > largestAttachment) left.push({ name: fileName, reason: 'larger than 20 MiB' });
    else if (files.size >= mostAttachments)
      left.push({ name: fileName, reason: `beyond the first ${mostAttachments}` });
    else {
      const id = attachmentId(raw);
      files.set(id, { fileName, mediaType, raw, id });
    }
  }
  return { files: [...files.values()], left };
}
