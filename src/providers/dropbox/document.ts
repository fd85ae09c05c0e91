// One file of Dropbox as a record: its words where it has them, else its facts.
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import type { SourceRecord, Structured } from '../record.ts';
import { bytesOf, type DropboxFile, fileLimit, pageOf, textLimit, wayOf } from './files.ts';
import type { Readers } from './readers.ts';

/**
 * The external id of what lies at `path`, which begins as those of its folders do; a mark that memory sets between
 * parts of an id cannot come from a name.
 */
export const idAt = (path: string): string => path.replace(/[%:]/g, encodeURIComponent);
export const pathOf = (externalId: string): string => externalId.replace(/%(?:25|3A)/g, decodeURIComponent);

/** `/a/b/c.txt`: `/a`, `/a/b`. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'));
}

/** Undefined: the file has gone meanwhile. */
export async function recordOf(
  context: ProviderContext,
  file: DropboxFile,
  externalId: string,
  readers: Readers,
): Promise<SourceRecord | undefined> {
  const at = Date.parse(file.server_modified ?? '');
  const url = pageOf(file);
  const base = {
    externalId,
    kind: 'file',
    title: file.name,
    ...(Number.isNaN(at) ? {} : { writtenAt: at }),
    // Also of one that was saved as it was.
    volatile: ['writtenAt'],
    ...(url === undefined ? {} : { url }),
    readers: await readers.of(file),
    // A folder that is hidden from agents hides what is below it.
    labels: foldersOf(pathOf(externalId)),
  } as const;
  const { text } = wayOf(file);
  const limit = text?.whole === true ? fileLimit : textLimit;
  if (text !== undefined && file.size <= limit) {
    try {
      return { ...base, mediaType: text.record, raw: await bytesOf(context, file, limit) };
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      if (error.code === 'not_found') return undefined;
      // It is restricted, locked, or larger once it is exported: its facts can be had all the same.
      const own = ['permission_denied', 'invalid_request', 'malformed_response', 'conflict'];
      if (!own.includes(error.code)) throw error;
      context.log.info({ err: error, file: file.id }, 'the text of a file could not be read');
    }
  }
  const facts = factsOf(file, text !== undefined && file.size > limit ? limit : undefined);
  return { ...base, mediaType: 'application/json', raw: Buffer.from(JSON.stringify(facts)) };
}

/** @param limit bytes, where the file is larger than what is read */
function factsOf(file: DropboxFile, limit: number | undefined): Structured {
  const megabytes = (limit ?? 0) / 1024 / 1024;
  return {
    title: file.name,
    ...(limit === undefined ? {} : { notes: `Its text was not read: it is larger than ${megabytes} MB.` }),
    facts: {
      mediaType: wayOf(file).text?.media ?? 'application/octet-stream',
      size: file.size,
      ...(file.path_display === undefined ? {} : { path: file.path_display }),
    },
  };
}
