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
import { addressOf, ifThere, send } from '../request.ts';
import { askedAhead } from './batch.ts';
import { deltaPage, ownAddress } from './delta.ts';
import { mimeOf } from './message.ts';
import { readsMail } from './messages.ts';

const hiddenFolders = ['drafts', 'outbox', 'junkemail', 'deleteditems'] as const;
const pageSize = 25;
const deltaPreference = `${steadyIds}, odata.maxpagesize=${pageSize}`;
const atOnce = 4;

const state = z.object({
  link: z.string(),
  /** Set while a full round is under way: ids of the folder so far. */
  ids: z.array(z.string()).optional(),
});
const cursorForm = z.object({
  version: z.literal(1),
  folders: z.record(z.string(), state),
  /** Folders that had others in them. */
  parents: z.array(z.string()).optional(),
});

export const mailFeed: Feed = { kinds: ['mail'], scopes: readsMail, pages };

interface Session {
  context: ProviderContext;
  states: Map<string, z.infer<typeof state>>;
  parents: readonly string[];
  /** A link has changed that no page has told yet. */
  untold: boolean;
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const { folders: known = {}, parents: within = [] } = cursorForm.safeParse(cursor).data ?? {};
  const states = new Map(Object.entries(known));
  const ahead = await askedAhead(context, [
    ...[...hiddenFolders.map(wellKnown), topFolders, ...within.map(foldersIn)].map((request) => ({
      url: addressOf(context, http, request),
      prefer: steadyIds,
    })),
    ...[...states.values()].map(({ link }) => ({ url: ownAddress(link), prefer: deltaPreference })),
  ]);
  const { folders, parents } = await foldersOf(ahead);
  const session: Session = { context: ahead, states, parents, untold: false };
  for (const folder of folders) yield* oneFolder(session, folder);
  for (const folder of [...session.states.keys()]) {
    if (folders.includes(folder)) continue;
    session.states.delete(folder);
    yield page(session, { complete: { ids: [], prefix: prefixOf(folder) } });
  }
  if (session.untold) yield page(session, {});
}

const item = z.object({
  id: z.string(),
  webLink: z.string().nullish(),
  isDraft: z.boolean().nullish(),
});
type Item = z.infer<typeof item>;

async function* oneFolder(session: Session, folder: string): AsyncGenerator<FeedPage> {
  const { context, states } = session;
  const headers = { prefer: deltaPreference };
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
      const nothing = ids === undefined && records.length + deleted.length === 0;
      if (nothing) session.untold ||= before?.link !== found.link;
      else yield page(session, { records, deleted, ...complete });
      return;
    }
    states.set(folder, { link: found.link, ...(ids === undefined ? {} : { ids }) });
    yield page(session, { records, deleted });
  }
}

function changedMeanwhile(): DrawbridgeError {
  return new DrawbridgeError('conflict', 'The folder changed while it was read.', { retry: 'later' });
}

function page(session: Session, given: Partial<Omit<FeedPage, 'cursor'>>): FeedPage {
  const { states, parents } = session;
  session.untold = false;
  const cursor = { version: 1, folders: Object.fromEntries(states), parents };
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
  return ifThere(mimeOf(context, id));
}

const folderList = z.object({
  value: z.array(z.object({ id: z.string(), childFolderCount: z.number().nullish() })),
});

const folderQuery = { $top: 100, $select: 'id,childFolderCount' };
const topFolders = {
  method: 'GET',
  path: '/me/mailFolders',
  query: folderQuery,
  output: folderList,
} as const;
const foldersIn = (id: string) =>
  ({
    method: 'GET',
    path: '/me/mailFolders/{id}/childFolders',
    params: { id },
    query: folderQuery,
    output: folderList,
  }) as const;
const wellKnown = (name: string) =>
  ({
    method: 'GET',
    path: '/me/mailFolders/{name}',
    params: { name },
    query: { $select: 'id' },
    output: z.object({ id: z.string() }),
  }) as const;

/** Ids of all folders that are read, those within others, too; `parents`: those that have others within. */
async function foldersOf(context: ProviderContext): Promise<{ folders: string[]; parents: string[] }> {
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
  for await (const { output } of pagesOf(context, http, topFolders)) take(output);
  // Grows while it is gone through.
  for (const id of parents) {
    for await (const { output } of pagesOf(context, http, foldersIn(id))) take(output);
  }
  return { folders: found, parents };
}

async function folderId(context: ProviderContext, name: (typeof hiddenFolders)[number]) {
  // A mailbox need not have each of them.
  return (await ifThere(send(context, http, wellKnown(name))))?.id;
}

const prefixOf = (folder: string): string => `${encodeURIComponent(folder)}/`;
const idOf = (folder: string, id: string): string => `${prefixOf(folder)}${id}`;
