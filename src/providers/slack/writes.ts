// What is written to Slack: a message posted, changed, deleted. Each under the name that the account's token gives it.
// https://docs.slack.dev/reference/methods/chat.postMessage
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type LiveRecord,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { send, sendWrite } from '../request.ts';
import { pageOf } from './document.ts';
import { isPaced, mostMessages } from './history.ts';
import { http } from './http.ts';
import { channelId, messagesAnswer, type RawMessage, timestamp } from './shapes.ts';
import { callsIn, plain, sameWords } from './words.ts';
import { channelName, channelOf, membersOf, peopleOf } from './workspace.ts';

/** Slack cuts longer texts. */
const longest = 4_000;
/** Ours among the metadata of a message. */
const markType = 'drawbridge_effect';

const channel = z
  .object({
    id: channelId,
    name: z.string().min(1).max(200).describe('As list-channels says it: #offers, or @Person'),
  })
  .describe('The channel, by its id and by the name that a person reads');
const text = z
  .string()
  .min(1)
  .max(longest)
  .describe('In Slack’s own markup: *bold*, <https://…|words>, <@U…>');
const thread = timestamp.optional().describe('ts of the message that is answered');

const postInput = z.strictObject({ channel, text, thread });
type Post = z.infer<typeof postInput>;
const updateInput = z.strictObject({ channel, ts: timestamp, thread, text });
type Update = z.infer<typeof updateInput>;
const deleteInput = z.strictObject({
  channel,
  ts: timestamp,
  thread,
  text: z.string().max(40_000).describe('What it says: another text is not deleted'),
});
type Delete = z.infer<typeof deleteInput>;

const posted = z.object({ channel: channelId, ts: timestamp });

function excerpt(words: string): string {
  const line = plain(words).replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `“${line.slice(0, 119)}…”` : `“${line}”`;
}

/** What rings more people than those who are spoken to is said. */
function calls(words: string): string {
  const found = callsIn(words);
  return found.length === 0 ? '' : ` (notifies ${found.join(', ')})`;
}

/** @throws DrawbridgeError `invalid_request` */
function checkText({ text: words }: { text: string }): void {
  if (words.trim() !== '') return;
  throw new DrawbridgeError('invalid_request', 'text: write something to be posted.', { field: 'text' });
}

/** @throws DrawbridgeError `invalid_request` where the channel is called otherwise than a person will read */
function checkChannel(payload: Pick<Post, 'channel'>, { fields }: LiveRecord): void {
  if (fields['channel'] === payload.channel.name) return;
  throw new DrawbridgeError(
    'invalid_request',
    `channel.name: the channel ${payload.channel.id} is called ${String(fields['channel'])} in Slack. Write that.`,
    { field: 'channel.name' },
  );
}

/** Who will read it: addresses where the channel is not everybody's. */
async function standingOf(context: ProviderContext, id: string): Promise<Record<string, unknown>> {
  const [found, people] = [await channelOf(context, id), await peopleOf(context)];
  const members = await membersOf(context, found);
  return {
    channel: channelName(found, people),
    archived: found.is_archived === true,
    ...(members === undefined
      ? { readers: 'everybody in the workspace' }
      : { readers: members.map((one) => people.addressOf(one) ?? people.nameOf(one) ?? one).sort() }),
  };
}

function concerns(_: unknown, live?: LiveRecord): { recipients?: string[] } {
  const readers = live?.fields['readers'];
  return Array.isArray(readers) ? { recipients: readers.map(String) } : {};
}

export const postMessage = writeOperation<Post>({
  effect: 'send',
  version: 1,
  title: 'Post a message',
  description:
    'Writes into a channel or a direct message, or answers in a thread, in the name of this account.',
  scopes: ['chat:write'],
  idempotency: 'look-up',
  input: postInput,
  summary: (payload, account) =>
    `Post as ${account} ${payload.thread === undefined ? 'to' : 'in a thread of'} ${payload.channel.name}: ${excerpt(payload.text)}${calls(payload.text)}`,
  validate: checkText,
  concerns,
  async before(context, payload) {
    const fields = await standingOf(context, payload.channel.id);
    return { title: payload.channel.name, fields, after: fields };
  },
  checkMeant: checkChannel,
  compensation: {
    title: 'Delete it again',
    operation: 'delete-message',
    payload: (payload, { details }) => {
      const back = deleteInput.safeParse({ ...payload, ts: details['ts'] });
      return back.success ? back.data : undefined;
    },
  },
  async run(context, payload) {
    const made = await sendWrite(context, http, {
      method: 'POST',
      path: '/chat.postMessage',
      body: {
        channel: payload.channel.id,
        text: payload.text,
        ...(payload.thread === undefined ? {} : { thread_ts: payload.thread }),
        unfurl_links: false,
        unfurl_media: false,
        metadata: { event_type: markType, event_payload: { key: context.effectKey } },
      },
      output: posted,
    });
    return outcomeOf(context, made);
  },
  async lookUp(context, { channel: { id }, thread: root }) {
    const query = { channel: id, limit: mostMessages(context), include_all_metadata: true };
    const answer =
      root === undefined
        ? await send(context, http, {
            method: 'GET',
            path: '/conversations.history',
            query,
            output: messagesAnswer,
          })
        : await lastReplies(context, { ...query, ts: root });
    const found = answer.messages.find(
      ({ metadata }) =>
        metadata?.event_type === markType && metadata.event_payload?.['key'] === context.effectKey,
    );
    if (found !== undefined) {
      return { found: true, outcome: outcomeOf(context, { channel: id, ts: found.ts }) };
    }
    const evidence = `None of the last ${answer.messages.length} messages there bears our mark; it may have been deleted, or be older.`;
    return { found: false, conclusive: false, evidence };
  },
});

/** Replies come oldest first: the last page is the one that may hold ours. */
async function lastReplies(
  context: WriteContext,
  query: { channel: string; ts: string; limit: number; include_all_metadata: boolean },
): Promise<{ messages: RawMessage[] }> {
  const messages: RawMessage[] = [];
  for (let cursor: string | undefined; ; ) {
    const answer = await send(context, http, {
      method: 'GET',
      path: '/conversations.replies',
      query: { ...query, cursor },
      output: messagesAnswer,
    });
    messages.push(...answer.messages);
    cursor = answer.response_metadata?.next_cursor || undefined;
    if (cursor === undefined || isPaced(context)) return { messages };
  }
}

function outcomeOf(
  context: ProviderContext,
  { channel: id, ts }: z.infer<typeof posted>,
  more: Record<string, unknown> = {},
): WriteOutcome {
  const url = pageOf(context, id, ts);
  return { reference: `${id}/${ts}`, url, details: { channel: id, ts, ...more } };
}

/** The message as it stands. @throws DrawbridgeError `not_found` */
async function messageAt(
  context: ProviderContext,
  { channel: { id }, ts, thread: root }: Pick<Update, 'channel' | 'ts' | 'thread'>,
): Promise<RawMessage> {
  const query = { channel: id, oldest: ts, latest: ts, inclusive: true, limit: 2 };
  const inThread = root !== undefined && root !== ts;
  const { messages } = inThread
    ? await send(context, http, {
        method: 'GET',
        path: '/conversations.replies',
        query: { ...query, ts: root },
        output: messagesAnswer,
      })
    : await send(context, http, {
        method: 'GET',
        path: '/conversations.history',
        query,
        output: messagesAnswer,
      });
  const found = messages.find((one) => one.ts === ts && one.subtype !== 'tombstone');
  if (found !== undefined) return found;
  throw new DrawbridgeError(
    'not_found',
    `ts: there is no message ${ts} in that channel. Of a reply, thread names the message that it answers.`,
    { field: 'ts' },
  );
}

/** @throws DrawbridgeError `permission_denied` for one that somebody else wrote */
function assertOwn({ fields }: ProviderContext, { user }: RawMessage): void {
  if (user === fields['me']) return;
  throw new DrawbridgeError(
    'permission_denied',
    'Somebody else wrote that message: of Slack’s messages an account changes its own alone.',
  );
}

async function liveMessage(
  context: ProviderContext,
  payload: Pick<Update, 'channel' | 'ts' | 'thread'>,
): Promise<{ message: RawMessage; live: Omit<LiveRecord, 'after'> }> {
  const message = await messageAt(context, payload);
  assertOwn(context, message);
  const standing = await standingOf(context, payload.channel.id);
  return {
    message,
    live: {
      title: `Message in ${String(standing['channel'])}`,
      url: pageOf(context, payload.channel.id, payload.ts),
      fields: { ...standing, text: message.text ?? '' },
    },
  };
}

export const updateMessage = writeOperation<Update>({
  effect: 'update',
  version: 1,
  title: 'Change a message',
  description:
    'Puts another text in the place of a message that this account wrote; Slack marks it as edited.',
  scopes: ['chat:write'],
  idempotency: 'look-up',
  input: updateInput,
  summary: (payload, account) =>
    `Change as ${account} a message in ${payload.channel.name} to ${excerpt(payload.text)}${calls(payload.text)}`,
  validate: checkText,
  concerns,
  async before(context, payload) {
    const { message, live } = await liveMessage(context, payload);
    // Such a message is more than its text, and a new text would end the rest for good.
    if ((message.blocks ?? []).some(({ type }) => type !== 'rich_text')) {
      throw new DrawbridgeError(
        'invalid_request',
        'ts: that message has a layout of its own, which a text would end.',
        {
          field: 'ts',
        },
      );
    }
    return { ...live, after: { ...live.fields, text: payload.text } };
  },
  checkMeant: checkChannel,
  compensation: {
    title: 'Put the old text back',
    operation: 'update-message',
    payload: (payload, { details }) => {
      const back = updateInput.safeParse({ ...payload, text: details['was'] });
      return back.success ? back.data : undefined;
    },
  },
  async run(context, payload) {
    const was = await unchanged(context, payload);
    const made = await sendWrite(context, http, {
      method: 'POST',
      path: '/chat.update',
      body: { channel: payload.channel.id, ts: payload.ts, text: payload.text },
      output: posted,
    });
    return outcomeOf(context, made, { was });
  },
  async lookUp(context, payload) {
    const { text: is } = await messageAt(context, payload);
    const was = context.before?.fields['text'];
    const told = typeof was === 'string' ? { was } : {};
    const made = { channel: payload.channel.id, ts: payload.ts };
    if (sameWords(is ?? '', payload.text)) return { found: true, outcome: outcomeOf(context, made, told) };
    const same = is === was;
    const evidence = same
      ? 'The message says what it said before.'
      : 'The message was changed since, to another text.';
    return { found: false, conclusive: same, evidence };
  },
});

/** The text that may be written over: the one that was approved. @throws DrawbridgeError `conflict` */
async function unchanged(context: WriteContext, payload: Update | Delete): Promise<string> {
  const message = await messageAt(context, payload);
  assertOwn(context, message);
  const is = message.text ?? '';
  const was = context.before?.fields['text'];
  if (was === undefined || was === is) return is;
  throw new DrawbridgeError('conflict', 'The message was changed since it was proposed. Nothing was sent.', {
    retry: 'ask',
  });
}

export const deleteMessage = writeOperation<Delete>({
  effect: 'delete',
  version: 1,
  title: 'Delete a message',
  description: 'Takes away a message that this account wrote.',
  scopes: ['chat:write'],
  idempotency: 'look-up',
  input: deleteInput,
  summary: (payload, account) =>
    `Delete as ${account} a message in ${payload.channel.name}: ${excerpt(payload.text)} (cannot be undone)`,
  async before(context, payload) {
    const { live } = await liveMessage(context, payload);
    return { ...live, after: {} };
  },
  checkMeant(payload, live) {
    checkChannel(payload, live);
    if (sameWords(payload.text, String(live.fields['text']))) return;
    throw new DrawbridgeError('conflict', 'text: that message says something else in Slack.', {
      field: 'text',
      retry: 'ask',
    });
  },
  async run(context, payload) {
    await unchanged(context, payload);
    const made = await sendWrite(context, http, {
      method: 'POST',
      path: '/chat.delete',
      query: { channel: payload.channel.id, ts: payload.ts },
      output: posted,
    });
    return outcomeOf(context, made);
  },
  async lookUp(context, payload) {
    const made = { channel: payload.channel.id, ts: payload.ts };
    try {
      await messageAt(context, payload);
    } catch (error) {
      if (!(error instanceof DrawbridgeError) || error.code !== 'not_found') throw error;
      return { found: true, outcome: outcomeOf(context, made) };
    }
    return { found: false, conclusive: true, evidence: 'The message is still there.' };
  },
});
