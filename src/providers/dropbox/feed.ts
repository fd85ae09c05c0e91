// The feed `files`: everything once, then what changed since. Dropbox tells places, not files: an entry says what
// stands at a path now, and a deletion names the path alone, be it of a file or of a folder with all that was in it.
//
// External id: the path in lower case, as Dropbox gives it (% and : escaped). A file that is moved is another record.
// https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { foldersOf, idAt, pathOf, recordOf } from './document.ts';
import { type DropboxFile, fileIfThere, type Page, page } from './files.ts';
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
  /** Shared folders by id: where each lies, and a mark of who was in it when its files were taken. */
  shares: z.record(z.string(), z.object({ at: z.string().optional(), mark: z.string() })),
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
      const file = await fileIfThere(context, pathOf(externalId));
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
    const { files, cleared, folders, shared } = settled(answer.entries);
    if (cursor.phase === 'changes') yield* emptied(cursor, files, cleared);
    const { records, absent } = yield* taken(context, files, cursor, readers);
    const deleted = [...folders, ...absent];
    cursor = { ...cursor, at: answer.cursor, shares: await sharesOf(cursor, shared, readers) };
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

/** What these entries come to, one after the other. Places are external ids. */
interface Settled {
  files: Map<string, DropboxFile>;
  /** Below these nothing is left but `files`: something was deleted there, or a file stands in a folder’s place. */
  cleared: Set<string>;
  /** Here is a folder, and no file any more. */
  folders: Set<string>;
  /** Where shared folders lie, by their ids. */
  shared: Map<string, string>;
}

function settled(entries: Page['entries']): Settled {
  const files = new Map<string, DropboxFile>();
  const cleared = new Set<string>();
  const folders = new Set<string>();
  const shared = new Map<string, string>();
  for (const entry of entries) {
    if (entry.path_lower === undefined) continue;
    const at = idAt(entry.path_lower);
    files.delete(at);
    folders.delete(at);
    if (entry['.tag'] === 'folder') {
      folders.add(at);
      const share = entry.sharing_info?.shared_folder_id;
      if (share !== undefined) shared.set(share, at);
      continue;
    }
    for (const below of files.keys()) if (below.startsWith(`${at}/`)) files.delete(below);
    cleared.add(at);
    if (entry['.tag'] === 'file') files.set(at, entry);
  }
  return { files, cleared, folders, shared };
}

/** What is gone with a place, and all that was below it; the records that come are said to be there. */
function* emptied(cursor: Cursor, files: Settled['files'], cleared: Settled['cleared']): Generator<FeedPage> {
  for (const at of cleared) {
    if (foldersOf(at).some((one) => cleared.has(one))) continue;
    const prefix = `${at}/`;
    const ids = [...files.keys()].filter((one) => one.startsWith(prefix));
    yield { records: [], deleted: files.has(at) ? [] : [at], cursor, complete: { ids, prefix } };
  }
}

/**
 * The shared folders that are known after these entries. One that was not shared before bears no mark yet: its files
 * may have been there, and are read with the next run.
 */
async function sharesOf(
  { phase, shares }: Cursor,
  found: Settled['shared'],
  readers: Readers,
): Promise<Cursor['shares']> {
  const now = new Map(Object.entries(shares));
  for (const [id, at] of found) {
    const mark = now.get(id)?.mark ?? (phase === 'full' ? await readers.mark(id) : 'new');
    now.set(id, { at, mark });
  }
  for (const id of readers.asked()) {
    const mark = await readers.mark(id);
    if (!now.has(id) && mark !== '') now.set(id, { mark });
  }
  return Object.fromEntries(now);
}

/** The files of shared folders which somebody joined or left, or that are shared no more: Dropbox lists none of them. */
async function* regranted(
  context: ProviderContext,
  cursor: Cursor,
  readers: Readers,
): AsyncGenerator<FeedPage, Cursor> {
  const shares = new Map(Object.entries(cursor.shares));
  const changed = new Map<string, string | undefined>();
  for (const [id, { at, mark: was }] of shares) {
    const mark = await readers.mark(id);
    if (mark === was) continue;
    changed.set(id, at);
    if (mark === '') shares.delete(id);
    else shares.set(id, { ...(at === undefined ? {} : { at }), mark });
  }
  if (changed.size === 0) return cursor;
  const places = [...changed.values()].filter((at) => at !== undefined);
  for await (const entries of everything(context)) {
    const { files } = settled(entries);
    for (const [at, { sharing_info }] of files) {
      const holds = changed.has(sharing_info?.parent_shared_folder_id ?? '');
      if (!holds && !places.some((place) => at.startsWith(`${place}/`))) files.delete(at);
    }
    const { records } = yield* taken(context, files, cursor, readers);
    if (records.length > 0) yield { records, deleted: [], cursor };
  }
  return { ...cursor, shares: Object.fromEntries(shares) };
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
