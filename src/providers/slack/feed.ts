// The feed `messages`: each channel that the account is in, from its beginning and then from a window of days before
// the last round, so that edits and deletions in it are seen; a conversation is a record with its replies, a file in
// it another one. Where history is limited to a call a minute, a run makes one, and says when to come back.
//
// External ids: channel/ts of the first message, channel/ts/file. https://docs.slack.dev/reference/methods/conversations.history
import { createHash } from 'node:crypto';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { conversationRecord, filesIn, isNoise, isTombstone, type Place } from './document.ts';
import {
  beginRound,
  type ChannelState,
  type Cursor,
  cursorForm,
  endRound,
  mayGoOn,
  meet,
  newState,
  type Round,
} from './feed-state.ts';
import { askHistory, askReplies, comeBackMs, isPaced } from './history.ts';
import { channelId, type RawChannel, type RawMessage, rawMessage } from './shapes.ts';
import {
  channelName,
  channelOf,
  channelsOf,
  membersOf,
  type People,
  peopleOf,
  readersOf,
} from './workspace.ts';

/** What the records of one step may weigh before they are handed over, bytes. */
const pageBytes = 32 * 1024 * 1024;
const recordId = /^([CDG][A-Z0-9]{2,20})\/(\d{1,12}\.\d{6})$/;

export const messagesFeed: Feed = {
  kinds: ['chat', 'file'],
  scopes: [
    'channels:history',
    'groups:history',
    'im:history',
    'mpim:history',
    'channels:read',
    'groups:read',
    'im:read',
    'mpim:read',
    'users:read',
    'users:read.email',
    'files:read',
  ],
  pages,
  record: { owns: (id) => recordId.test(id), read: oneConversation },
};

interface Session {
  context: ProviderContext;
  cursor: Cursor;
  people: People;
}

async function* pages(context: ProviderContext, given: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(given).data;
  const cursor: Cursor = known ?? { version: 1, sweep: 1, done: false, channels: {} };
  if (cursor.done) Object.assign(cursor, { done: false, sweep: cursor.sweep + 1 });
  assertPace(context, cursor);
  const session = { context, cursor, people: await peopleOf(context) };
  const channels = await channelsOf(context);
  const here = new Set(channels.map(({ id }) => id));
  for (const id of Object.keys(cursor.channels)) {
    if (here.has(id)) continue;
    // The account is in it no more, so nobody may read it by this account.
    delete cursor.channels[id];
    yield page(session, { complete: { ids: [], prefix: `${id}/` } });
  }
  for (const channel of inTurn(channels, cursor)) yield* oneChannel(session, channel);
  cursor.done = true;
  yield page(session, {});
}

/** What is under way first, then what was read longest ago. */
function inTurn(channels: readonly RawChannel[], { channels: states, sweep }: Cursor): RawChannel[] {
  const rank = ({ id }: RawChannel) => {
    const state = states[id];
    return state?.round === undefined ? (state?.until ?? 0) : -1;
  };
  return channels
    .filter(({ id }) => states[id]?.swept !== sweep)
    .sort((one, other) => rank(one) - rank(other));
}

/** @throws DrawbridgeError `rate_limited` until history may be asked for again */
function assertPace(context: ProviderContext, { calledAt }: Cursor): void {
  const wait = calledAt === undefined || !isPaced(context) ? 0 : calledAt + comeBackMs - context.clock.now();
  if (wait <= 0) return;
  throw new DrawbridgeError(
    'rate_limited',
    'Slack gives this app one call of history a minute: reading goes on after that.',
    { retryAfterMs: wait },
  );
}

async function* oneChannel(session: Session, channel: RawChannel): AsyncGenerator<FeedPage> {
  const { context, cursor, people } = session;
  const { clock } = context;
  assertPace(context, cursor);
  const readers = readersOf(await membersOf(context, channel), people);
  const place: Place = { channel: channel.id, name: channelName(channel, people), people, readers };
  cursor.channels[channel.id] ??= newState();
  const state = cursor.channels[channel.id] as ChannelState;
  const begun = { now: clock.now(), readers: digest(readers), paced: isPaced(context) };
  state.round ??= beginRound(state, begun);
  const { round } = state;
  while (!round.read || round.queue.length > 0) {
    context.signal?.throwIfAborted();
    assertPace(context, cursor);
    const step = round.read
      ? await replyStep(session, place, round)
      : await historyStep(session, place, round);
    if (isPaced(context)) cursor.calledAt = clock.now();
    // Whatever weighs much goes ahead, with the cursor where it was: it is read again where this run dies here.
    const before = structuredClone(cursor);
    let records: SourceRecord[] = [];
    let weight = 0;
    for await (const record of recordsOf(session, place, state, round, step.conversations)) {
      weight += record.raw.length;
      records.push(record);
      if (weight <= pageBytes) continue;
      yield { records, deleted: [], cursor: before };
      records = [];
      weight = 0;
    }
    step.done();
    const deleted = step.deleted;
    if (round.read && round.queue.length === 0) {
      deleted.push(...endRound(state, cursor.sweep));
    }
    yield page(session, { records, deleted: deleted.map((id) => `${channel.id}/${id}`) });
  }
}

interface Step {
  conversations: RawMessage[][];
  deleted: string[];
  /** Moves the round on. */
  done(): void;
}

/** A page of the channel's own messages; those with replies are put off. */
async function historyStep({ context }: Session, { channel }: Place, round: Round): Promise<Step> {
  const { from, page: at } = round;
  const { messages, next } = await askHistory(context, channel, {
    ...(from === '0' ? {} : { oldest: from }),
    ...(at === undefined ? {} : { cursor: at }),
  }).catch((error: unknown) => {
    // The list is begun again, which only repeats.
    if (at === undefined || !isForgotten(error)) throw error;
    Object.assign(round, { ids: [], queue: [], talks: {} });
    delete round.page;
    return askHistory(context, channel, from === '0' ? {} : { oldest: from });
  });
  const queue: string[] = [];
  const conversations: RawMessage[][] = [];
  for (const message of messages) {
    const root = message.thread_ts ?? message.ts;
    // What was also shown in the channel belongs to its conversation.
    if (root !== message.ts || (message.reply_count ?? 0) > 0) queue.push(root);
    else if (!isNoise(message) && !isTombstone(message)) conversations.push([message]);
  }
  return {
    conversations,
    deleted: [],
    done() {
      round.queue = [...new Set([...round.queue, ...queue])];
      round.read = next === undefined;
      if (next === undefined) delete round.page;
      else round.page = next;
    },
  };
}

/** A place in a list that Slack knows no more. */
function isForgotten(error: unknown): boolean {
  return error instanceof DrawbridgeError && error.code === 'invalid_request';
}

/** A page of one conversation; its record is made when it is there whole. */
async function replyStep({ context }: Session, { channel }: Place, round: Round): Promise<Step> {
  const [root = '', ...queue] = round.queue;
  const { part } = round;
  const told = await askReplies(context, channel, root, part?.page).catch((error: unknown) => {
    if (part === undefined || !isForgotten(error)) throw error;
    delete round.part;
    return askReplies(context, channel, root);
  });
  const leave = (): void => {
    round.queue = queue;
    delete round.part;
  };
  if (told === undefined) return { conversations: [], deleted: [root], done: leave };
  const before = (round.part?.messages ?? []).flatMap((one) => rawMessage.safeParse(one).data ?? []);
  // The first one may come again with every page.
  const known = new Set(before.map(({ ts }) => ts));
  const messages = [...before, ...told.messages.filter(({ ts }) => !known.has(ts))];
  const { next } = told;
  if (next !== undefined) {
    return {
      conversations: [],
      deleted: [],
      done() {
        round.part = { page: next, messages };
      },
    };
  }
  return { conversations: [messages], deleted: [], done: leave };
}

async function* recordsOf(
  { context }: Session,
  place: Place,
  state: ChannelState,
  round: Round,
  conversations: readonly RawMessage[][],
): AsyncGenerator<SourceRecord> {
  const before = new Set(round.from === '0' ? [] : state.ids);
  for (const messages of conversations) {
    const record = conversationRecord(context, place, messages);
    const [root] = messages;
    if (record === undefined || root === undefined) continue;
    meet(round, root.ts);
    const last = messages.at(-1)?.ts ?? root.ts;
    if (messages.length > 1 && mayGoOn(last, round.began)) round.talks[root.ts] = last;
    yield record;
    const wanted = (key: string, { edited }: RawMessage) => !before.has(key) || edited != null;
    for await (const { key, record: file } of filesIn(context, place, messages, wanted)) {
      meet(round, key);
      if (file !== undefined) yield file;
    }
  }
}

function page({ cursor }: Session, given: Partial<Omit<FeedPage, 'cursor'>>): FeedPage {
  return { records: [], deleted: [], ...given, cursor: structuredClone(cursor) };
}

function digest(readers: readonly string[] | undefined): string {
  return readers === undefined
    ? 'all'
    : createHash('sha256').update(JSON.stringify(readers)).digest('base64url').slice(0, 16);
}

async function oneConversation(context: ProviderContext, id: string): Promise<SourceRecord | undefined> {
  const [, channel = '', ts = ''] = recordId.exec(id) ?? [];
  const people = await peopleOf(context);
  const found = await channelOf(context, channelId.parse(channel)).catch((error: unknown) => {
    if (error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const messages: RawMessage[] = [];
  for (let at: string | undefined; ; ) {
    const told = await askReplies(context, channel, ts, at);
    if (told === undefined) return undefined;
    const known = new Set(messages.map((one) => one.ts));
    messages.push(...told.messages.filter((one) => !known.has(one.ts)));
    at = told.next;
    if (at === undefined) break;
  }
  const readers = readersOf(await membersOf(context, found), people);
  const place = { channel, name: channelName(found, people), people, readers };
  return conversationRecord(context, place, messages);
}
