// The feed `mail`: every mail of the account once, in pages that can be cut off anywhere, and what is gone is
// known to be gone after one run.
//
// External id: mailbox/uidvalidity/uid, the mailbox's path percent-encoded so that it is a clean prefix. A mail
// that was moved is a new one in its new mailbox; all mailboxes are read for new mail before any is asked what
// has gone, so that a moved mail is never absent from both. A mail that lies in two mailboxes (sent to oneself)
// is two records.
import type { StatusObject } from 'imapflow';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { fetchMessages, groupBySize, sizesOf, uidsBetween, vanishedSince } from './fetch.ts';
import { syncedMailboxes } from './folders.ts';
import { closeImap, during, type ImapFlow, openImap } from './imap.ts';

const pageTimeoutMs = 300_000;
const pageSize = 50;

const mailboxState = z.object({
  uidValidity: z.string(),
  /** The first UID not yet taken. */
  next: z.number().int(),
  /** Messages below `next` that the server had. */
  count: z.number().int(),
  /** Mod-sequence up to which deletions are known, where the server keeps it. */
  modseq: z.string().optional(),
  /** A full run is under way: its last page says what exists. */
  full: z.boolean(),
});
type MailboxState = z.infer<typeof mailboxState>;
const cursorForm = z.object({ version: z.literal(1), mailboxes: z.record(z.string(), mailboxState) });

export const mailFeed: Feed = { kinds: ['mail'], pages };

interface Session {
  context: ProviderContext;
  client: ImapFlow;
  states: Map<string, MailboxState>;
  /** Runs commands as one conversation: the time limit is a page's, not the whole run's. */
  converse<Result>(work: () => Promise<Result>): Promise<Result>;
  page(page: Omit<FeedPage, 'cursor'>): FeedPage;
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor);
  const states = new Map(Object.entries(known.data?.mailboxes ?? {}));
  const client = await context.converse((signal) => openImap(context, signal), { timeoutMs: 60_000 });
  const session: Session = {
    context,
    client,
    states,
    converse: (work) =>
      context.converse((signal) => during(client, signal, work), { timeoutMs: pageTimeoutMs }),
    page: (page) => ({ ...page, cursor: { version: 1, mailboxes: Object.fromEntries(states) } }),
  };
  try {
    const listed = await session.converse(async () =>
      syncedMailboxes(
        client,
        await client.list({ statusQuery: { messages: true, uidNext: true, uidValidity: true } }),
      ),
    );
    const changed = listed.filter(({ path, status }) => !isUnchanged(states.get(path), status));
    const read: { path: string; taken: number[] }[] = [];
    for (const { path, status } of changed) {
      const taken = yield* takeNew(session, path, status?.uidNext);
      if (taken !== undefined) read.push({ path, taken });
    }
    for (const { path, taken } of read) yield* findGone(session, path, taken);
    for (const path of [...states.keys()]) {
      if (listed.some((mailbox) => mailbox.path === path)) continue;
      states.delete(path);
      yield session.page({ records: [], deleted: [], complete: { ids: [], prefix: prefixOf(path) } });
    }
  } finally {
    await closeImap(client);
  }
}

/** With no UID given out since and as many messages as before, nothing has come and nothing has gone. */
function isUnchanged(state: MailboxState | undefined, status: StatusObject | undefined): boolean {
  return (
    state !== undefined &&
    !state.full &&
    status !== undefined &&
    status.uidValidity?.toString() === state.uidValidity &&
    status.uidNext === state.next &&
    status.messages === state.count
  );
}

/** Of a mailbox that was opened; `uidNext` only from a server that tells it then. */
function nextTold({ uidNext }: { uidNext?: number }): number | undefined {
  return uidNext;
}

/**
 * Pages of the messages that came since the cursor, oldest first. `listedNext`: the next UID at the listing, for a
 * server that tells none when a mailbox is opened (Courier): what came in between is left for the next run.
 * @returns their UIDs; undefined where it could not be opened. One that is listed and must not be read (an ACL's `l`
 * without `r`, RFC 4314), or that has just gone, is no reason to leave the others.
 */
async function* takeNew(
  session: Session,
  path: string,
  listedNext: number | undefined,
): AsyncGenerator<FeedPage, number[] | undefined> {
  const { client, states, context } = session;
  const look = async () => {
    const opened = await client.mailboxOpen(path, { readOnly: true });
    const { uidValidity } = opened;
    const end = nextTold(opened) ?? listedNext;
    if (end === undefined)
      throw new DrawbridgeError('malformed_response', `The IMAP server tells no next UID of ${path}.`);
    const known = states.get(path);
    const state: MailboxState =
      known?.uidValidity === uidValidity.toString()
        ? known
        : { uidValidity: uidValidity.toString(), next: 1, count: 0, full: true };
    return { state, end, uids: await uidsBetween(client, state.next, end) };
  };
  const found = await session.converse(look).catch((error: unknown) => {
    const code = error instanceof DrawbridgeError ? error.code : undefined;
    if (code !== 'permission_denied' && code !== 'not_found') throw error;
    context.log.warn({ err: error, mailbox: path }, 'a mailbox could not be opened and was left');
    return undefined;
  });
  if (found === undefined) return undefined;
  const { state, end, uids } = found;
  states.set(path, state);
  for (let start = 0; start < uids.length; start += pageSize) {
    const some = uids.slice(start, start + pageSize);
    const sized = await session.converse(() => sizesOf(client, some));
    for (const group of groupBySize(sized)) {
      const messages = await session.converse(() => fetchMessages(client, group));
      const last = group.at(-1);
      if (last === undefined) continue;
      state.next = last.uid + 1;
      state.count += group.length;
      yield session.page({
        records: messages.map(({ uid, raw }) => recordOf(path, state, uid, raw)),
        deleted: [],
        remaining: uids.filter((uid) => uid >= state.next).length,
      });
    }
  }
  state.next = Math.max(state.next, end);
  return uids;
}

/**
 * What has left a mailbox, once everything new in all of them is taken.
 * @param taken UIDs that this run has taken from it
 */
async function* findGone(session: Session, path: string, taken: number[]): AsyncGenerator<FeedPage> {
  const { client, states } = session;
  const state = states.get(path);
  if (state === undefined) return;
  const found = await session.converse(async () => {
    const { exists, uidNext, uidValidity, highestModseq } = await client.mailboxOpen(path, {
      readOnly: true,
    });
    if (uidValidity.toString() !== state.uidValidity) {
      // GNU's imap4d gives new UIDs at each opening where it may not write: what was just taken is all that holds.
      if (state.full) return { modseq: undefined, count: taken.length, present: taken, gone: undefined };
      throw new DrawbridgeError('conflict', `The mailbox ${path} was rebuilt while it was read.`, {
        retry: 'later',
      });
    }
    const modseq = highestModseq?.toString();
    // All that exists below `next` has been counted, so equal numbers mean that nothing has gone.
    if (!state.full && uidNext === state.next && exists === state.count)
      return { modseq, count: exists, gone: [] };
    const present = await uidsBetween(client, 1, state.next);
    const gone = state.full ? undefined : await vanishedSince(client, state);
    return { modseq, count: present.length, present, gone };
  });
  state.full = false;
  state.count = found.count;
  state.modseq = found.modseq;
  const deleted = found.gone?.map((uid) => idOf(path, state, uid));
  yield session.page(
    deleted !== undefined
      ? { records: [], deleted }
      : {
          records: [],
          deleted: [],
          complete: {
            ids: (found.present ?? []).map((uid) => idOf(path, state, uid)),
            prefix: prefixOf(path),
          },
        },
  );
}

function prefixOf(path: string): string {
  return `${encodeURIComponent(path)}/`;
}

function idOf(path: string, state: MailboxState, uid: number): string {
  return `${prefixOf(path)}${state.uidValidity}/${uid}`;
}

function recordOf(path: string, state: MailboxState, uid: number, raw: Uint8Array): SourceRecord {
  return {
    externalId: idOf(path, state, uid),
    kind: 'mail',
    mediaType: 'message/rfc822',
    raw,
    // A folder is the label that IMAP has.
    labels: [path],
  };
}
