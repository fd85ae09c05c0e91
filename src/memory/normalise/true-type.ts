// What a file is by its first bytes, whatever its name says: exports of pages are called `.xls`, a report `.docx` is a
// PDF.
import type { RecordMediaType } from '../../providers/record.ts';

const office = 'application/vnd.openxmlformats-officedocument.';
/** The folder in which each kind of Office file keeps its parts. */
const folders: Readonly<Record<string, RecordMediaType>> = {
  word: `${office}wordprocessingml.document`,
  xl: `${office}spreadsheetml.sheet`,
  ppt: `${office}presentationml.presentation`,
};
const named = new Set<RecordMediaType>(['application/pdf', ...Object.values(folders)]);
const headBytes = 1024;
const entry = 'PK\u0001\u0002';

/** Which of them an archive is, by the names in the directory at its end. */
function archived(raw: Uint8Array): RecordMediaType | undefined {
  const end = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
    .subarray(-65_536 * 4)
    .toString('latin1');
  // Each entry of the directory: a signature, 42 bytes more, the name (APPNOTE, 4.3.12).
  for (let at = end.indexOf(entry); at !== -1; at = end.indexOf(entry, at + 46)) {
    const folder = /^\/?(word|xl|ppt)\//u.exec(end.slice(at + 46, at + 56))?.[1];
    if (folder !== undefined) return folders[folder];
  }
  return undefined;
}

/** The media type to read the bytes by: `given`, but where they plainly are another file that is read. */
export function trueType(raw: Uint8Array, given: RecordMediaType): RecordMediaType {
  if (!named.has(given)) return given;
  const head = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, headBytes)).toString(
    'latin1',
  );
  if (head.startsWith('PK\u0003\u0004')) return archived(raw) ?? given;
  if (head.includes('%PDF-')) return 'application/pdf';
  const isPage = /^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml)/iu.test(
    head.replace(/[\0\xfe\xff]/gu, ''),
  );
  return isPage ? 'text/html' : given;
}
