// The feed `mail`: every message of every folder once, then what each folder's delta tells.
//
// External id: folder/message. A message that moves is gone from the one and new in the other, so that the order
// in which folders are read does not matter. Drafts, Outbox, Junk and Deleted Items are no records.
// https://learn.microsoft.com/en-us/graph/delta-query-messages
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { microsoftHttp as http, steadyIds } from '../microsoft.ts';
import { pages as pagesOf } from '../pages.ts';
import type { SourceRecord } from '../record.ts';
import { addressOf, send } from '../request.ts';
import { deltaPage } from './delta.ts';
import { mimeOf } from './message.ts';
import { readsMail } from './messages.ts';

const hiddenFolders = ['drafts', 'outbox', 'junkemail', 'deleteditems'] as const;
const pageSize = 25;
const atOnce = 4;

const state = z.object({
  link: z.string(),
  /** Set while a full round is under way: ids of the folder so far. */
  ids: z.array(z.string()).optional(),
});
const cursorForm = z.object({ version: z.literal(1), folders: z.record(z.string(), state) });

export const mailFeed: Feed = { kinds: ['mail'], scopes: readsMail, pages };

interface Session {
  context: ProviderContext;
  states: Map<string, z.infer<typeof state>>;
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor).data?.folders ?? {};
  const session = { context, states: new Map(Object.entries(known)) };
  const folders = await foldersOf(context);
  for (const folder of folders) yield* oneFolder(session, folder);
  for (const folder of [...session.states.keys()]) {
    if (folders.includes(folder)) continue;
    session.states.delete(folder);
    yield page(session, { complete: { ids: [], prefix: prefixOf(folder) } });
  }
}

const item = z.object({
  id: z.string(),
  webLink: z.string().nullish(),
  isDraft: z.boolean().nullish(),
});
type Item = z.infer<typeof item>;

async function* oneFolder(session: Session, folder: string): AsyncGenerator<FeedPage> {
  const { context, states } = session;
  const headers = { prefer: `${steadyIds}, odata.maxpagesize=${pageSize}` };
  const begin = addressOf(context, http, {
    path: '/me/mailFolders/{folder}/messages/delta',
    params: { folder },
    query: { $select: 'id,webLink,isDraft' },
  });
  for (let again = false; ; ) {
    const before = states.get(folder);
    const at = before === undefined ? { begin } : { go: before.link };
    const found = await deltaPage(context, at, { item, headers });
    if (found === undefined) {
      if (again) throw changedMeanwhile();
      again = true;
      states.delete(folder);
      continue;
    }
    const { records, absent } = await taken(context, folder, found.items);
    const deleted = [...found.removed, ...absent].map((id) => idOf(folder, id));
    const full = before === undefined ? [] : before.ids;
    const gone = new Set(deleted);
    const ids =
      full && [...full, ...records.map(({ externalId }) => externalId)].filter((id) => !gone.has(id));
    if (found.last) {
      states.set(folder, { link: found.link });
      const complete = ids === undefined ? {} : { complete: { ids, prefix: prefixOf(folder) } };
      yield page(session, { records, deleted, ...complete });
      return;
    }
    states.set(folder, { link: found.link, ...(ids === undefined ? {} : { ids }) });
    yield page(session, { records, deleted });
  }
}

function changedMeanwhile(): DrawbridgeError {
  return new DrawbridgeError('conflict', 'The folder changed while it was read.', { retry: 'later' });
}

function page({ states }: Session, given: Partial<Omit<FeedPage, 'cursor'>>): FeedPage {
  const cursor = { version: 1, folders: Object.fromEntries(states) };
  return { records: [], deleted: [], ...given, cursor };
}

/** The messages as they came; `absent`: those that have gone meanwhile, or are drafts. */
async function taken(
  context: ProviderContext,
  folder: string,
  items: readonly Item[],
): Promise<{ records: SourceRecord[]; absent: string[] }> {
  const records: SourceRecord[] = [];
  const absent: string[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    const some = items.slice(start, start + atOnce);
    const mails = await Promise.all(
      some.map((one) => (one.isDraft === true ? undefined : mimeOrNothing(context, one.id))),
    );
    for (const [index, { id, webLink }] of some.entries()) {
      const raw = mails[index];
      if (raw === undefined) absent.push(id);
      else
        records.push({
          externalId: idOf(folder, id),
          kind: 'mail',
          mediaType: 'message/rfc822',
          raw,
          ...(webLink == null ? {} : { url: webLink }),
        });
    }
  }
  return { records, absent };
}

async function mimeOrNothing(context: ProviderContext, id: string): Promise<Buffer | undefined> {
  try {
    return await mimeOf(context, id);
  } catch (error) {
    if (error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  }
}

const folderList = z.object({
  value: z.array(z.object({ id: z.string(), childFolderCount: z.number().nullish() })),
});

/** Ids of all folders that are read, those within others, too. */
async function foldersOf(context: ProviderContext): Promise<string[]> {
  const hidden = new Set(await Promise.all(hiddenFolders.map((name) => folderId(context, name))));
  const found: string[] = [];
  const parents: string[] = [];
  const take = ({ value }: z.infer<typeof folderList>): void => {
    for (const { id, childFolderCount } of value) {
      if (hidden.has(id)) continue;
      found.push(id);
      if ((childFolderCount ?? 0) > 0) parents.push(id);
    }
  };
  const query = { $top: 100, $select: 'id,childFolderCount' };
  const top = { method: 'GET', path: '/me/mailFolders', query, output: folderList } as const;
  for await (const { output } of pagesOf(context, http, top)) take(output);
  for (let id = parents.shift(); id !== undefined; id = parents.shift()) {
    const below = {
      method: 'GET',
      path: '/me/mailFolders/{id}/childFolders',
      params: { id },
      query,
      output: folderList,
    } as const;
    for await (const { output } of pagesOf(context, http, below)) take(output);
  }
  return found;
}

async function folderId(context: ProviderContext, name: (typeof hiddenFolders)[number]) {
  try {
    const { id } = await send(context, http, {
      method: 'GET',
      path: '/me/mailFolders/{name}',
      params: { name },
      query: { $select: 'id' },
      output: z.object({ id: z.string() }),
    });
    return id;
  } catch (error) {
    // A mailbox need not have each of them.
    if (error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  }
}

const prefixOf = (folder: string): string => `${encodeURIComponent(folder)}/`;
const idOf = (folder: string, id: string): string => `${prefixOf(folder)}${id}`;
