// The feed `files`: every file once, then Drive's list of changes. What is removed, thrown away or no longer
// shared is deleted. A document, table, slides, text, PDF or Office file is a record of its words, any other file one of its facts.
//
// External id: Google's own of the file. https://developers.google.com/workspace/drive/api/guides/manage-changes
import type { drive_v3 } from '@googleapis/drive';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { ask, scope } from '../google.ts';
import type { SourceRecord, Structured } from '../record.ts';
import {
  bytesOf,
  type DriveFile,
  driveOf,
  fileFields,
  fileLimit,
  folderType,
  needed,
  readAsItIs,
  textLimit,
  textWay,
} from './client.ts';

const pageSize = 50;
const idsPage = 1000;
const atOnce = 5;
/** What a page of records may weigh before it is handed over: bytes. */
const pageBytes = 32 * 1024 * 1024;
/** Beside what is shown of a file: who may read it. */
const feedFields = `${fileFields},permissions(type,emailAddress,domain)`;
const listed = `trashed = false and mimeType != '${folderType}'`;

const cursorForm = z.discriminatedUnion('phase', [
  z.object({
    version: z.literal(1),
    phase: z.literal('full'),
    /** Where the changes begin that are read once all files are taken. */
    changes: z.string(),
    pageToken: z.string().optional(),
  }),
  z.object({ version: z.literal(1), phase: z.literal('changes'), pageToken: z.string() }),
]);
type Cursor = z.infer<typeof cursorForm>;
type FullCursor = Extract<Cursor, { phase: 'full' }>;

export const fileFeed: Feed = { kinds: ['file'], scopes: [scope('drive.readonly')], pages };

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const client = await driveOf(context);
  const known = cursorForm.safeParse(cursor).data;
  if (known?.phase === 'changes' && (yield* changes(context, client, known.pageToken))) return;
  const start: FullCursor =
    known?.phase === 'full' ? known : { version: 1, phase: 'full', changes: await beginning(client) };
  yield* everything(context, client, start);
  yield* changes(context, client, start.changes);
}

async function beginning(client: drive_v3.Drive): Promise<string> {
  return needed((await ask(() => client.changes.getStartPageToken({}))).startPageToken, 'start of changes');
}

async function* everything(
  context: ProviderContext,
  client: drive_v3.Drive,
  start: FullCursor,
): AsyncGenerator<FeedPage> {
  let cursor = start;
  for (let again = false; ; ) {
    const page = await filesPage(client, cursor.pageToken, pageSize, feedFields);
    if (page === undefined) {
      if (again) throw changedMeanwhile();
      again = true;
      // Google no longer knows the page: the list is begun again, which only repeats.
      cursor = { version: 1, phase: 'full', changes: start.changes };
      continue;
    }
    const { records } = yield* taken(context, page.files, cursor);
    if (page.next === undefined) {
      const complete = { ids: await allIds(client) };
      const after: Cursor = { version: 1, phase: 'changes', pageToken: start.changes };
      yield { records, deleted: [], cursor: after, complete };
      return;
    }
    cursor = { ...cursor, pageToken: page.next };
    yield { records, deleted: [], cursor };
  }
}

/** A page of files; undefined when its token is no longer known. */
async function filesPage(
  client: drive_v3.Drive,
  pageToken: string | undefined,
  size: number,
  fields: string,
): Promise<{ files: DriveFile[]; next: string | undefined } | undefined> {
  const at = pageToken === undefined ? {} : { pageToken };
  try {
    const answer = await ask(() =>
      client.files.list({ q: listed, pageSize: size, fields: `nextPageToken,files(${fields})`, ...at }),
    );
    return { files: answer.files ?? [], next: answer.nextPageToken ?? undefined };
  } catch (error) {
    if (pageToken !== undefined && isForgotten(error)) return undefined;
    throw error;
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof DrawbridgeError && (error.code === 'invalid_request' || error.code === 'not_found');
}

async function allIds(client: drive_v3.Drive): Promise<string[]> {
  const ids: string[] = [];
  for (let pageToken: string | undefined; ; ) {
    const page = await filesPage(client, pageToken, idsPage, 'id');
    if (page === undefined) throw changedMeanwhile();
    for (const { id } of page.files) if (typeof id === 'string') ids.push(id);
    if (page.next === undefined) return ids;
    pageToken = page.next;
  }
}

function changedMeanwhile(): DrawbridgeError {
  return new DrawbridgeError('conflict', 'The list of files changed while it was read.', { retry: 'later' });
}

/** What came, changed and went since; false when Google no longer knows that point. */
async function* changes(
  context: ProviderContext,
  client: drive_v3.Drive,
  since: string,
): AsyncGenerator<FeedPage, boolean> {
  for (let pageToken = since; ; ) {
    const answer = await changesPage(client, pageToken);
    if (answer === undefined) return false;
    const gone = new Set<string>();
    const files = new Map<string, DriveFile>();
    for (const { fileId, file, removed } of answer.changes ?? []) {
      if (typeof fileId !== 'string') continue;
      const present = removed !== true && file?.trashed !== true && file?.mimeType !== folderType;
      if (present && file !== undefined) files.set(fileId, file);
      else gone.add(fileId);
    }
    const here: Cursor = { version: 1, phase: 'changes', pageToken };
    const { records, absent } = yield* taken(context, [...files.values()], here);
    const next = answer.nextPageToken ?? answer.newStartPageToken;
    const cursor: Cursor = { version: 1, phase: 'changes', pageToken: needed(next, 'next change') };
    yield { records, deleted: [...gone, ...absent], cursor };
    if (typeof answer.nextPageToken !== 'string') return true;
    pageToken = answer.nextPageToken;
  }
}

async function changesPage(
  client: drive_v3.Drive,
  pageToken: string,
): Promise<drive_v3.Schema$ChangeList | undefined> {
  try {
    return await ask(() =>
      client.changes.list({
        pageToken,
        pageSize,
        fields: `nextPageToken,newStartPageToken,changes(fileId,removed,file(${feedFields}))`,
      }),
    );
  } catch (error) {
    if (isForgotten(error)) return undefined;
    throw error;
  }
}

/** The files as records; what would weigh too much together is handed over before, with the cursor where it was. */
async function* taken(
  context: ProviderContext,
  files: readonly DriveFile[],
  cursor: Cursor,
): AsyncGenerator<FeedPage, { records: SourceRecord[]; absent: string[] }> {
  let records: SourceRecord[] = [];
  const absent: string[] = [];
  let weight = 0;
  for (let start = 0; start < files.length; start += atOnce) {
    if (weight > pageBytes) {
      yield { records, deleted: [], cursor };
      records = [];
      weight = 0;
    }
    const some = files.slice(start, start + atOnce);
    const found = await Promise.all(some.map((file) => recordOf(context, file)));
    for (const [index, record] of found.entries()) {
      if (record === undefined) {
        absent.push(needed(some[index]?.id, 'id'));
        continue;
      }
      weight += record.raw.length;
      records.push(record);
    }
  }
  return { records, absent };
}

/**
 * Who may read it. Google tells it of files that the account may share, and of none in a shared drive: of all others
 * its owners alone are known. A group is noted, and nobody is known to be in it.
 * https://developers.google.com/workspace/drive/api/reference/rest/v3/files#File.FIELDS.permissions
 */
function readersOf({ permissions, owners }: DriveFile): { readers?: string[] } {
  if (permissions?.some(({ type }) => type === 'anyone') === true) return {};
  const named = (permissions ?? []).flatMap(({ type, emailAddress, domain }) => {
    if (type === 'domain') return typeof domain === 'string' ? [`domain:${domain.toLowerCase()}`] : [];
    if (typeof emailAddress !== 'string') return [];
    return [type === 'group' ? `group:${emailAddress.toLowerCase()}` : emailAddress.toLowerCase()];
  });
  const owning = (owners ?? []).flatMap(({ emailAddress }) =>
    typeof emailAddress === 'string' ? [emailAddress.toLowerCase()] : [],
  );
  return { readers: [...new Set([...named, ...owning])] };
}

/** Undefined: the file has gone meanwhile. */
async function recordOf(context: ProviderContext, file: DriveFile): Promise<SourceRecord | undefined> {
  const at = Date.parse(file.modifiedTime ?? '');
  const base = {
    externalId: needed(file.id, 'id'),
    kind: 'file',
    title: file.name ?? '',
    ...(Number.isNaN(at) ? {} : { writtenAt: at }),
    // Also of one that was saved as it was.
    volatile: ['writtenAt'],
    ...(typeof file.webViewLink === 'string' ? { url: file.webViewLink } : {}),
    ...readersOf(file),
  } as const;
  const whole = readAsItIs(file.mimeType);
  const limit = whole === undefined ? textLimit : fileLimit;
  const way = whole === undefined ? textWay(file.mimeType) : { export: undefined, record: whole };
  if (way !== undefined && Number(file.size ?? 0) <= limit) {
    try {
      const raw = await bytesOf(context, { id: base.externalId, as: way.export }, limit);
      return { ...base, mediaType: way.record, raw };
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      if (error.code === 'not_found') return undefined;
      // Its owner forbids to copy it, or it is too large to be exported: its facts can be had all the same.
      const own = ['permission_denied', 'invalid_request', 'malformed_response'].includes(error.code);
      if (!own) throw error;
      context.log.info({ err: error, file: base.externalId }, 'the text of a file could not be read');
    }
  }
  return { ...base, mediaType: 'application/json', raw: Buffer.from(JSON.stringify(factsOf(file))) };
}

function factsOf(file: DriveFile): Structured {
  const owner = file.owners?.[0];
  return {
    title: file.name ?? '',
    ...(file.description == null ? {} : { text: file.description }),
    facts: {
      mediaType: file.mimeType ?? '',
      ...(file.size == null ? {} : { size: Number(file.size) }),
      ...(owner === undefined ? {} : { owner: owner.displayName ?? owner.emailAddress }),
    },
  };
}
