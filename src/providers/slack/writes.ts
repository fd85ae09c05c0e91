// What is written to Slack: a message posted, changed, deleted. Each under the name that the account's token gives it.
// https://docs.slack.dev/reference/methods/chat.postMessage
import { DrawbridgeError } from '../../errors.ts';
import { type WriteContext, writeOperation } from '../define.ts';
import { send, sendWrite } from '../request.ts';
import { isPaced, mostMessages } from './history.ts';
import { http } from './http.ts';
import {
  calls,
  checkText,
  type Delete,
  deleteInput,
  excerpt,
  type Post,
  postInput,
  type Update,
  updateInput,
} from './payload.ts';
import { messagesAnswer, type RawMessage } from './shapes.ts';
import {
  checkChannel,
  concerns,
  liveMessage,
  messageAt,
  outcomeOf,
  posted,
  standingOf,
  unchanged,
} from './standing.ts';
import { sameWords } from './words.ts';

/** Ours among the metadata of a message. */
const markType = 'drawbridge_effect';

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
    const fields = await standingOf(context, payload.channel.id, payload.text);
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
    const { message, live } = await liveMessage(context, payload, payload.text);
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
