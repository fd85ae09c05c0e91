// The feed `mail`: every message of the account once, then what its history tells. Drafts, chats, spam and
// what lies in the bin are no records; a message that goes there is deleted, one that comes back is new.
//
// External id: Gmail's own of the message. https://developers.google.com/workspace/gmail/api/guides/sync
import type { gmail_v1 } from '@googleapis/gmail';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { ask, scope } from '../google.ts';
import type { SourceRecord } from '../record.ts';
import { ifThere } from '../request.ts';
import { gmailOf, needed, ownAddress, pageOf, profileOf, type RawMessage, rawMessage } from './client.ts';

const hidden = new Set(['DRAFT', 'CHAT', 'SPAM', 'TRASH']);
const listPage = 500;
const recordsPage = 25;
const atOnce = 5;
/** What a page of records may weigh before it is handed over: bytes. */
const pageBytes = 32 * 1024 * 1024;

const cursorForm = z.discriminatedUnion('phase', [
  z.object({
    version: z.literal(1),
    phase: z.literal('full'),
    /** Where the history begins that is read once all messages are taken. */
    historyId: z.string(),
    pageToken: z.string().optional(),
    /** Messages still to come, about: Gmail counts spam and bin, too. */
    left: z.number().int().optional(),
  }),
  z.object({ version: z.literal(1), phase: z.literal('history'), historyId: z.string() }),
]);
type Cursor = z.infer<typeof cursorForm>;
type FullCursor = Extract<Cursor, { phase: 'full' }>;

export const mailFeed: Feed = {
  kinds: ['mail'],
  scopes: [scope('gmail.readonly')],
  pages,
  record: { owns: (id) => /^[0-9a-f]{8,32}$/.test(id), read: oneMessage },
};

/** Undefined: deleted, or put where nothing is taken from. */
async function oneMessage(context: ProviderContext, id: string): Promise<SourceRecord | undefined> {
  const message = await messageOrNothing(context, id);
  return message === undefined || isHidden(message)
    ? undefined
    : recordOf(await ownAddress(context), id, message);
}

function isHidden({ labels }: RawMessage): boolean {
  return labels.some((label) => hidden.has(label));
}

function recordOf(email: string, id: string, { raw }: RawMessage): SourceRecord {
  return { externalId: id, kind: 'mail', mediaType: 'message/rfc822', raw, url: pageOf(email, id) };
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor).data;
  if (known?.phase === 'history' && (yield* history(context, known.historyId))) return;
  // The beginning of the history is noted before the first message is listed: nothing falls between.
  const start = known?.phase === 'full' ? known : await beginning(context);
  yield* everything(context, start);
  yield* history(context, start.historyId);
}

async function beginning(context: ProviderContext): Promise<FullCursor> {
  const { historyId, messages } = await profileOf(context);
  return { version: 1, phase: 'full', historyId, ...(messages === undefined ? {} : { left: messages }) };
}

/** All messages, newest first, and at the end the list of what exists. */
async function* everything(context: ProviderContext, start: FullCursor): AsyncGenerator<FeedPage> {
  const client = await gmailOf(context);
  let cursor = start;
  for (let again = false; ; ) {
    const { pageToken } = cursor;
    const page = await listed(client, pageToken, recordsPage);
    if (page === undefined) {
      if (again) throw changedMeanwhile();
      again = true;
      // Gmail no longer knows the page: the list is begun again, which only repeats.
      cursor = { version: 1, phase: 'full', historyId: start.historyId };
      continue;
    }
    const next = page.nextPageToken;
    // What is handed over before the end of this page does not move the cursor: a killed run takes it again.
    const { records } = yield* taken(context, page.ids, cursor);
    if (next === undefined) {
      const ids = await allIds(client);
      const after: Cursor = { version: 1, phase: 'history', historyId: start.historyId };
      yield { records, deleted: [], cursor: after, complete: { ids } };
      return;
    }
    const left = cursor.left === undefined ? {} : { left: Math.max(0, cursor.left - page.ids.length) };
    cursor = { ...cursor, pageToken: next, ...left };
    const remaining = left.left === undefined ? {} : { remaining: left.left };
    yield { records, deleted: [], cursor, ...remaining };
  }
}

/** A page of ids; undefined when its token is no longer known. */
async function listed(
  client: gmail_v1.Gmail,
  pageToken: string | undefined,
  maxResults: number,
): Promise<{ ids: string[]; nextPageToken: string | undefined } | undefined> {
  const query = { userId: 'me', maxResults, ...(pageToken === undefined ? {} : { pageToken }) };
  try {
    const answer = await ask(() => client.users.messages.list(query));
    return { ids: idsIn(answer.messages), nextPageToken: answer.nextPageToken ?? undefined };
  } catch (error) {
    const forgotten = error instanceof DrawbridgeError && error.code === 'invalid_request';
    if (forgotten && pageToken !== undefined) return undefined;
    throw error;
  }
}

/** Every id there is now, without spam and bin: the list is cheap where the messages are not. */
async function allIds(client: gmail_v1.Gmail): Promise<string[]> {
  const ids: string[] = [];
  for (let pageToken: string | undefined; ; ) {
    const page = await listed(client, pageToken, listPage);
    if (page === undefined) throw changedMeanwhile();
    ids.push(...page.ids);
    if (page.nextPageToken === undefined) return ids;
    pageToken = page.nextPageToken;
  }
}

function changedMeanwhile(): DrawbridgeError {
  return new DrawbridgeError('conflict', 'The list of messages changed while it was read.', {
    retry: 'later',
  });
}

/** What came and went since, page by page; false when Gmail no longer knows that point. */
async function* history(context: ProviderContext, since: string): AsyncGenerator<FeedPage, boolean> {
  const client = await gmailOf(context);
  let at: Cursor = { version: 1, phase: 'history', historyId: since };
  for (let pageToken: string | undefined; ; ) {
    const page = await historyPage(client, since, pageToken);
    if (page === undefined) {
      if (pageToken === undefined) return false;
      throw new DrawbridgeError('conflict', 'Gmail forgot the history while it was read.', {
        retry: 'later',
      });
    }
    const { take, gone } = changes(page.history ?? []);
    const { records, absent } = yield* taken(context, take, at);
    const next = page.nextPageToken ?? undefined;
    // A page that is not the last ends at its last entry: from there a killed run goes on.
    const reached = next === undefined ? page.historyId : page.history?.at(-1)?.id;
    at = { version: 1, phase: 'history', historyId: needed(reached, 'history') };
    yield { records, deleted: [...gone, ...absent], cursor: at };
    if (next === undefined) return true;
    pageToken = next;
  }
}

async function historyPage(
  client: gmail_v1.Gmail,
  startHistoryId: string,
  pageToken: string | undefined,
): Promise<gmail_v1.Schema$ListHistoryResponse | undefined> {
  return ifThere(
    ask(() =>
      client.users.history.list({
        userId: 'me',
        startHistoryId,
        historyTypes: ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved'],
        maxResults: 100,
        ...(pageToken === undefined ? {} : { pageToken }),
      }),
    ),
  );
}

/** The entries in their order; of each message the last word counts. */
function changes(entries: readonly gmail_v1.Schema$History[]): { take: string[]; gone: string[] } {
  const last = new Map<string, 'take' | 'gone'>();
  const touches = (labels: readonly string[] | null | undefined) => labels?.some((id) => hidden.has(id));
  for (const entry of entries) {
    for (const { message } of entry.messagesAdded ?? []) note(last, message, 'take');
    for (const { message, labelIds } of entry.labelsAdded ?? [])
      if (touches(labelIds)) note(last, message, 'gone');
    for (const { message, labelIds } of entry.labelsRemoved ?? [])
      if (touches(labelIds)) note(last, message, 'take');
    for (const { message } of entry.messagesDeleted ?? []) note(last, message, 'gone');
  }
  const of = (word: 'take' | 'gone') => [...last].flatMap(([id, said]) => (said === word ? [id] : []));
  return { take: of('take'), gone: of('gone') };
}

function note(
  last: Map<string, 'take' | 'gone'>,
  message: gmail_v1.Schema$Message | undefined,
  word: 'take' | 'gone',
): void {
  if (typeof message?.id === 'string') last.set(message.id, word);
}

/**
 * The messages as records, as they are now. `absent`: those that have gone meanwhile, or lie where nothing is
 * taken from. What would weigh too much together is handed over before, with the cursor where it was.
 */
async function* taken(
  context: ProviderContext,
  ids: readonly string[],
  cursor: Cursor,
): AsyncGenerator<FeedPage, { records: SourceRecord[]; absent: string[] }> {
  const email = await ownAddress(context);
  let records: SourceRecord[] = [];
  const absent: string[] = [];
  let weight = 0;
  for (let start = 0; start < ids.length; start += atOnce) {
    if (weight > pageBytes) {
      yield { records, deleted: [], cursor };
      records = [];
      weight = 0;
    }
    const some = ids.slice(start, start + atOnce);
    const found = await Promise.all(some.map((id) => messageOrNothing(context, id)));
    for (const [index, id] of some.entries()) {
      const message = found[index];
      if (message === undefined || isHidden(message)) {
        absent.push(id);
        continue;
      }
      weight += message.raw.length;
      records.push(recordOf(email, id, message));
    }
  }
  return { records, absent };
}

async function messageOrNothing(context: ProviderContext, id: string): Promise<RawMessage | undefined> {
  return ifThere(rawMessage(context, id));
}

function idsIn(messages: readonly gmail_v1.Schema$Message[] | null | undefined): string[] {
  return (messages ?? []).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
}
