// Google Drive's official client inside the door, and what a file says: as text where it has any.
import type { drive_v3 } from '@googleapis/drive';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { ask, throughTheDoor } from '../google.ts';
import { type RecordMediaType, recordMediaTypes } from '../record.ts';

export type DriveFile = drive_v3.Schema$File;

export const fileFields =
  'id,name,mimeType,description,modifiedTime,size,trashed,webViewLink,parents,owners(displayName,emailAddress)';
export const folderType = 'application/vnd.google-apps.folder';
/** What is read of one file as text; Google itself exports 10 MB at most. Bytes. */
export const textLimit = 4 * 1024 * 1024;

export const idForm = /^[A-Za-z0-9_-]{1,200}$/;

/** The client is loaded with the first call: the catalog reads this provider, and needs none of it. */
export async function driveOf(context: ProviderContext): Promise<drive_v3.Drive> {
  const { drive } = (await import('@googleapis/drive')).default;
  return drive({ version: 'v3', ...throughTheDoor(context) });
}

/** A member that Google always sends. @throws DrawbridgeError `malformed_response` */
export function needed<T>(value: T | null | undefined, what: string): T {
  if (value !== null && value !== undefined && value !== '') return value;
  throw new DrawbridgeError('malformed_response', `Google Drive answered without the ${what} of it.`);
}

/**
 * As what Google's own kinds are exported; of a table its first sheet alone.
 * https://developers.google.com/workspace/drive/api/guides/ref-export-formats
 */
const exported: Record<string, { as: string; record: RecordMediaType }> = {
  'application/vnd.google-apps.document': { as: 'text/markdown', record: 'text/markdown' },
  'application/vnd.google-apps.spreadsheet': { as: 'text/csv', record: 'text/plain' },
  'application/vnd.google-apps.presentation': { as: 'text/plain', record: 'text/plain' },
};

const office = 'application/vnd.openxmlformats-officedocument.';
/** What a file may weigh that memory reads out of its own bytes. */
export const fileLimit = 10 * 1024 * 1024;

/** The kind of a file that memory reads as it is (PDF, Office, HTML); undefined for others. */
export function readAsItIs(mimeType: string | null | undefined): RecordMediaType | undefined {
  const type = recordMediaTypes.find((known) => known === mimeType);
  const isWhole = type === 'text/html' || type === 'application/pdf' || type?.startsWith(office) === true;
  return isWhole ? type : undefined;
}

/** How a file's text is had; undefined where it has none, or none that is read here (PDF, Office). */
export function textWay(
  mimeType: string | null | undefined,
): { export: string | undefined; record: RecordMediaType } | undefined {
  const type = (mimeType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const own = exported[type];
  if (own !== undefined) return { export: own.as, record: own.record };
  if (type === 'text/markdown' || type === 'text/x-markdown')
    return { export: undefined, record: 'text/markdown' };
  const readable = /^text\/(?!html$|rtf$)/.test(type) || type === 'application/json';
  return readable ? { export: undefined, record: 'text/plain' } : undefined;
}

/** Whether Google keeps it in a form of its own, which can only be exported. */
export function isNative(mimeType: string | null | undefined): boolean {
  return mimeType?.startsWith('application/vnd.google-apps.') === true;
}

/** A file's bytes, exported as `as` where it is given. @throws DrawbridgeError `malformed_response` when larger */
export async function bytesOf(
  context: ProviderContext,
  file: { id: string; as?: string | undefined },
  limit: number,
): Promise<Buffer> {
  const client = await driveOf(context);
  const options = { responseType: 'arraybuffer', maxContentLength: limit } as const;
  const bytes: unknown = await ask(() =>
    file.as === undefined
      ? client.files.get({ fileId: file.id, alt: 'media' }, options)
      : client.files.export({ fileId: file.id, mimeType: file.as }, options),
  );
  if (!(bytes instanceof ArrayBuffer))
    throw new DrawbridgeError('malformed_response', 'Google Drive sent no bytes.');
  return Buffer.from(bytes);
}

/** A text inside a search, with what would end it escaped. https://developers.google.com/workspace/drive/api/guides/search-files */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
