// The feed `files`: everything once, then what changed since. Dropbox tells places, not files: an entry says what
// stands at a path now, and a deletion names the path alone, be it of a file or of a folder with all that was in it.
//
// External id: the path in lower case, as Dropbox gives it. A file that is moved is another record.
// https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord, Structured } from '../record.ts';
import {
  bytesOf,
  type DropboxFile,
  fileIfThere,
  fileLimit,
  type Page,
  page,
  pageOf,
  textLimit,
  wayOf,
} from './files.ts';
import { call } from './http.ts';
import { type Readers, readersIn } from './readers.ts';

const pageSize = 100;
const idsPage = 2000;
const atOnce = 5;
/** What a page of records may weigh before it is handed over: bytes. */
const pageBytes = 32 * 1024 * 1024;

const cursorForm = z.object({
  version: z.literal(1),
  /** `full`: everything is being read; what is not met by its end is gone. */
  phase: z.enum(['full', 'changes']),
  /** Dropbox's own; absent: from the beginning. */
  at: z.string().optional(),
  /** Shared folders, each with a mark of who was in it when its files were taken. */
  shares: z.record(z.string(), z.string()),
});
type Cursor = z.infer<typeof cursorForm>;
const beginning: Cursor = { version: 1, phase: 'full', shares: {} };

export const fileFeed: Feed = {
  kinds: ['file'],
  scopes: ['files.content.read', 'sharing.read'],
  pages,
  record: {
    owns: (externalId) => externalId.startsWith('/'),
    async read(context, externalId) {
      const file = await fileIfThere(context, externalId);
      return file === undefined ? undefined : recordOf(context, file, externalId, readersIn(context));
    },
  },
};

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const readers = readersIn(context);
  const known = cursorForm.safeParse(cursor).data ?? beginning;
  if (yield* walk(context, known, readers)) return;
  // Dropbox no longer knows the place: everything is read again, which only repeats.
  if (yield* walk(context, beginning, readers)) return;
  throw new DrawbridgeError('conflict', 'The list of files changed while it was read.', { retry: 'later' });
}

/** From `start` to now; false when Dropbox no longer knows the place. */
async function* walk(
  context: ProviderContext,
  start: Cursor,
  readers: Readers,
): AsyncGenerator<FeedPage, boolean> {
  let cursor = start;
  if (cursor.phase === 'changes') cursor = yield* regranted(context, cursor, readers);
  for (;;) {
    context.signal?.throwIfAborted();
    const answer = await pageAt(context, cursor.at);
    if (answer === undefined) return false;
    const { files, cleared, folders } = settled(answer.entries);
    if (cursor.phase === 'changes') yield* emptied(cursor, files, cleared);
    const { records, absent } = yield* taken(context, files, cursor, readers);
    const deleted = [...folders, ...absent];
    const shares = { ...cursor.shares, ...(await readers.marks()) };
    cursor = { ...cursor, at: answer.cursor, shares };
    if (answer.has_more) {
      yield { records, deleted, cursor };
      continue;
    }
    if (cursor.phase === 'changes') {
      yield { records, deleted, cursor };
      return true;
    }
    const ids: string[] = [];
    for await (const entries of everything(context)) ids.push(...settled(entries).files.keys());
    yield { records, deleted, cursor: { ...cursor, phase: 'changes' }, complete: { ids } };
    return true;
  }
}

/** Undefined when the place is no longer known. */
async function pageAt(context: ProviderContext, at: string | undefined): Promise<Page | undefined> {
  if (at === undefined) return call(context, '/files/list_folder', listing(pageSize), page);
  try {
    return await call(context, '/files/list_folder/continue', { cursor: at }, page);
  } catch (error) {
    const forgotten = ['not_found', 'invalid_request'];
    if (error instanceof DrawbridgeError && forgotten.includes(error.code)) return undefined;
    throw error;
  }
}

const listing = (limit: number) => ({
  path: '',
  recursive: true,
  include_has_explicit_shared_members: true,
  limit,
});

/** All that is there now, without its content. @throws DrawbridgeError */
async function* everything(context: ProviderContext): AsyncGenerator<Page['entries']> {
  let answer = await call(context, '/files/list_folder', listing(idsPage), page);
  for (;;) {
    yield answer.entries;
    if (!answer.has_more) return;
    context.signal?.throwIfAborted();
    answer = await call(context, '/files/list_folder/continue', { cursor: answer.cursor }, page);
  }
}

/** What these entries come to, one after the other. Places are paths in lower case. */
interface Settled {
  files: Map<string, DropboxFile>;
  /** Below these nothing is left but `files`: something was deleted there, or a file stands in a folder’s place. */
  cleared: Set<string>;
  /** Here is a folder, and no file any more. */
  folders: Set<string>;
}

function settled(entries: Page['entries']): Settled {
  const files = new Map<string, DropboxFile>();
  const cleared = new Set<string>();
  const folders = new Set<string>();
  for (const entry of entries) {
    const at = entry.path_lower;
    if (at === undefined) continue;
    files.delete(at);
    folders.delete(at);
    if (entry['.tag'] === 'folder') {
      folders.add(at);
      continue;
    }
    for (const below of files.keys()) if (below.startsWith(`${at}/`)) files.delete(below);
    cleared.add(at);
    if (entry['.tag'] === 'file') files.set(at, entry);
  }
  return { files, cleared, folders };
}

/** What is gone with a place, and all that was below it; the records that come are said to be there. */
function* emptied(cursor: Cursor, files: Settled['files'], cleared: Settled['cleared']): Generator<FeedPage> {
  for (const at of cleared) {
    if (ancestors(at).some((one) => cleared.has(one))) continue;
    const prefix = `${at}/`;
    const ids = [...files.keys()].filter((one) => one.startsWith(prefix));
    yield { records: [], deleted: files.has(at) ? [] : [at], cursor, complete: { ids, prefix } };
  }
}

/** `/a/b/c.txt`: `/a`, `/a/b`. */
function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'));
}

/** The files of shared folders which somebody joined or left: Dropbox lists no change for that. */
async function* regranted(
  context: ProviderContext,
  cursor: Cursor,
  readers: Readers,
): AsyncGenerator<FeedPage, Cursor> {
  const changed = new Set<string>();
  for (const [folder, was] of Object.entries(cursor.shares)) {
    if ((await readers.mark(folder)) !== was) changed.add(folder);
  }
  if (changed.size === 0) return cursor;
  for await (const entries of everything(context)) {
    const { files } = settled(entries);
    for (const [at, { sharing_info }] of files) {
      if (!changed.has(sharing_info?.parent_shared_folder_id ?? '')) files.delete(at);
    }
    const { records } = yield* taken(context, files, cursor, readers);
    if (records.length > 0) yield { records, deleted: [], cursor };
  }
  return { ...cursor, shares: { ...cursor.shares, ...(await readers.marks()) } };
}

/** The files as records; what would weigh too much together is handed over before, with the cursor where it was. */
async function* taken(
  context: ProviderContext,
  files: Settled['files'],
  cursor: Cursor,
  readers: Readers,
): AsyncGenerator<FeedPage, { records: SourceRecord[]; absent: string[] }> {
  let records: SourceRecord[] = [];
  const absent: string[] = [];
  let weight = 0;
  const waiting = [...files];
  for (let start = 0; start < waiting.length; start += atOnce) {
    if (weight > pageBytes) {
      yield { records, deleted: [], cursor };
      records = [];
      weight = 0;
    }
    const some = waiting.slice(start, start + atOnce);
    const found = await Promise.all(some.map(([at, file]) => recordOf(context, file, at, readers)));
    for (const [index, record] of found.entries()) {
      if (record === undefined) {
        absent.push(some[index]?.[0] ?? '');
        continue;
      }
      weight += record.raw.length;
      records.push(record);
    }
  }
  return { records, absent };
}

/** Undefined: the file has gone meanwhile. */
async function recordOf(
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
    labels: ancestors(externalId),
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
