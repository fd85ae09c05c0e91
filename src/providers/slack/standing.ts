// What stands at Slack that a write is about: who reads a channel, what a message says, and whose it is.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { LiveRecord, ProviderContext, WriteContext, WriteOutcome } from '../define.ts';
import { send } from '../request.ts';
import { pageOf } from './document.ts';
import { http } from './http.ts';
import type { Delete, Post, Update } from './payload.ts';
import { channelId, messagesAnswer, type RawMessage, timestamp } from './shapes.ts';
import { namedIn } from './words.ts';
import { channelName, channelOf, membersOf, peopleOf } from './workspace.ts';

export const posted = z.object({ channel: channelId, ts: timestamp });

/** @throws DrawbridgeError `invalid_request` where the channel is called otherwise than a person will read */
export function checkChannel(payload: Pick<Post, 'channel'>, { fields }: LiveRecord): void {
  if (fields['channel'] === payload.channel.name) return;
  throw new DrawbridgeError(
    'invalid_request',
    `channel.name: the channel ${payload.channel.id} is called ${String(fields['channel'])} in Slack. Write that.`,
    { field: 'channel.name' },
  );
}

/**
 * Who will read it: addresses where the channel is not everybody's.
 * @param text what is to be written: whom it calls, by the names that a person knows
 */
export async function standingOf(
  context: ProviderContext,
  id: string,
  text = '',
): Promise<Record<string, unknown>> {
  const [found, people] = [await channelOf(context, id), await peopleOf(context)];
  const members = await membersOf(context, found);
  const called = namedIn(text).map((one) => people.nameOf(one) ?? `nobody known (${one})`);
  return {
    channel: channelName(found, people),
    archived: found.is_archived === true,
    ...(members === undefined
      ? { readers: 'everybody in the workspace' }
      : { readers: members.map((one) => people.addressOf(one) ?? people.nameOf(one) ?? one).sort() }),
    ...(called.length === 0 ? {} : { notifies: called }),
  };
}

export function concerns(_: unknown, live?: LiveRecord): { recipients?: string[] } {
  const readers = live?.fields['readers'];
  return Array.isArray(readers) ? { recipients: readers.map(String) } : {};
}

export function outcomeOf(
  context: ProviderContext,
  { channel: id, ts }: z.infer<typeof posted>,
  more: Record<string, unknown> = {},
): WriteOutcome {
  const url = pageOf(context, id, ts);
  return { reference: `${id}/${ts}`, url, details: { channel: id, ts, ...more } };
}

/** The message as it stands. @throws DrawbridgeError `not_found` */
export async function messageAt(
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

export async function liveMessage(
  context: ProviderContext,
  payload: Pick<Update, 'channel' | 'ts' | 'thread'>,
  text?: string,
): Promise<{ message: RawMessage; live: Omit<LiveRecord, 'after'> }> {
  const message = await messageAt(context, payload);
  assertOwn(context, message);
  const standing = await standingOf(context, payload.channel.id, text);
  return {
    message,
    live: {
      title: `Message in ${String(standing['channel'])}`,
      url: pageOf(context, payload.channel.id, payload.ts),
      fields: { ...standing, text: message.text ?? '' },
    },
  };
}

/** The text that may be written over: the one that was approved. @throws DrawbridgeError `conflict` */
export async function unchanged(context: WriteContext, payload: Update | Delete): Promise<string> {
  const message = await messageAt(context, payload);
  assertOwn(context, message);
  const is = message.text ?? '';
  const was = context.before?.fields['text'];
  if (was === undefined || was === is) return is;
  throw new DrawbridgeError('conflict', 'The message was changed since it was proposed. Nothing was sent.', {
    retry: 'ask',
  });
}
