// What is asked of Slack: channels, what was said in them, people, and the text of a file.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { send } from '../request.ts';
import { authorOf, isNoise, pageOf, wordsOf } from './document.ts';
import { bytesOf, fileOf, nameOf, wayOf } from './files.ts';
import { askHistory, askReplies, isPaced } from './history.ts';
import { http } from './http.ts';
import { channelId, fileId, type RawMessage, type RawUser, rawUser, timestamp, userId } from './shapes.ts';
import { isPerson } from './users-feed.ts';
import { timeOf } from './words.ts';
import {
  channelName,
  channelOf,
  channelsAnswer,
  channelTypes,
  type People,
  peopleOf,
  userName,
  usersList,
} from './workspace.ts';

const readsChannels = ['channels:read', 'groups:read', 'im:read', 'mpim:read', 'users:read'];
const readsHistory = ['channels:history', 'groups:history', 'im:history', 'mpim:history', 'users:read'];
const readsPeople = ['users:read', 'users:read.email'];
/** Pages of people that a question takes for the names of those who wrote. */
const pagesOfNames = 1;

const shownChannel = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['public', 'private', 'direct', 'group']),
  archived: z.boolean(),
  topic: z.string().optional(),
  purpose: z.string().optional(),
  members: z.number().optional(),
});

function shown(channel: Parameters<typeof channelName>[0], people: People): z.infer<typeof shownChannel> {
  const { id, is_im, is_mpim, is_private, is_archived, topic, purpose, num_members } = channel;
  const kind = is_im === true ? 'direct' : is_mpim === true ? 'group' : is_private ? 'private' : 'public';
  return {
    id,
    name: channelName(channel, people),
    kind,
    archived: is_archived === true,
    ...(topic?.value ? { topic: topic.value } : {}),
    ...(purpose?.value ? { purpose: purpose.value } : {}),
    ...(num_members == null ? {} : { members: num_members }),
  };
}

export const listChannels = readOperation({
  effect: 'read',
  title: 'List channels',
  description: 'The channels and direct messages that this account is in, with their ids and names.',
  scopes: readsChannels,
  input: z.object({ cursor: z.string().max(500).optional().describe('`next` of the answer before') }),
  output: z.object({ channels: z.array(shownChannel), next: z.string().optional() }),
  async run(context, { cursor }) {
    const { channels, response_metadata } = await send(context, http, {
      method: 'GET',
      path: '/users.conversations',
      query: { types: channelTypes, exclude_archived: false, limit: 200, cursor },
      output: channelsAnswer,
    });
    const people = await peopleOf(context, pagesOfNames);
    const next = response_metadata?.next_cursor;
    return { channels: channels.map((one) => shown(one, people)), ...(next ? { next } : {}) };
  },
});

export const getChannel = readOperation({
  effect: 'read',
  title: 'Look up a channel',
  description: 'Name, kind, topic and purpose of one channel.',
  scopes: readsChannels,
  input: z.object({ channel: channelId }),
  output: shownChannel,
  async run(context, { channel }) {
    const people = await peopleOf(context, pagesOfNames);
    return shown(await channelOf(context, channel), people);
  },
});

const shownMessage = z.object({
  ts: z.string().describe('Id of the message in its channel'),
  at: z.string(),
  author: z.string(),
  text: z.string(),
  url: z.string(),
  replies: z.number().optional(),
  thread: z.string().optional().describe('ts of the message that it answers'),
  edited: z.boolean().optional(),
  files: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
});

function said(
  context: ProviderContext,
  channel: string,
  message: RawMessage,
  people: People,
): z.infer<typeof shownMessage> {
  const { ts, thread_ts, reply_count, edited, files } = message;
  return {
    ts,
    at: new Date(timeOf(ts)).toISOString(),
    author: authorOf(message, people),
    text: wordsOf(message, people),
    url: pageOf(context, channel, ts),
    ...(reply_count ? { replies: reply_count } : {}),
    ...(thread_ts != null && thread_ts !== ts ? { thread: thread_ts } : {}),
    ...(edited == null ? {} : { edited: true }),
    ...(files.length === 0 ? {} : { files: files.map((file) => ({ id: file.id, name: nameOf(file) })) }),
  };
}

const asked = z
  .number()
  .int()
  .min(1)
  .max(100)
  .default(15)
  .describe('Messages at most; 15 where the app is distributed');
const fewer = (context: ProviderContext, limit: number): number =>
  isPaced(context) ? Math.min(limit, 15) : limit;

export const history = readOperation({
  effect: 'read',
  title: 'Read a channel',
  description: 'The newest messages of a channel, newest first; replies are read by thread.',
  scopes: readsHistory,
  input: z.object({
    channel: channelId,
    limit: asked,
    before: timestamp.optional().describe('Older than this message'),
    after: timestamp.optional().describe('Newer than this message'),
  }),
  output: z.object({ messages: z.array(shownMessage), before: z.string().optional() }),
  async run(context, { channel, limit, before, after }) {
    const { messages, next } = await askHistory(context, channel, {
      limit: fewer(context, limit),
      latest: before,
      oldest: after,
    });
    const people = await peopleOf(context, pagesOfNames);
    const last = messages.at(-1)?.ts;
    const told = messages.filter((one) => !isNoise(one));
    return {
      messages: told.map((one) => said(context, channel, one, people)),
      ...(next === undefined || last === undefined ? {} : { before: last }),
    };
  },
});

export const thread = readOperation({
  effect: 'read',
  title: 'Read a thread',
  description: 'A message with its replies, oldest first.',
  scopes: readsHistory,
  input: z.object({
    channel: channelId,
    ts: timestamp.describe('Of the first message'),
    cursor: z.string().max(500).optional().describe('`next` of the answer before'),
  }),
  output: z.object({ messages: z.array(shownMessage), next: z.string().optional() }),
  async run(context, { channel, ts, cursor }) {
    const told = await askReplies(context, channel, ts, cursor);
    if (told === undefined)
      throw new DrawbridgeError('not_found', 'That message is there no more.', { field: 'ts' });
    const people = await peopleOf(context, pagesOfNames);
    const { messages, next } = told;
    return {
      messages: messages.map((one) => said(context, channel, one, people)),
      ...(next === undefined ? {} : { next }),
    };
  },
});

const shownUser = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().optional(),
  title: z.string().optional(),
  phone: z.string().optional(),
  timeZone: z.string().optional(),
});

function person(user: RawUser): z.infer<typeof shownUser> {
  const { id, tz, profile } = user;
  return {
    id,
    name: userName(user),
    ...(profile?.email ? { email: profile.email } : {}),
    ...(profile?.title ? { title: profile.title } : {}),
    ...(profile?.phone ? { phone: profile.phone } : {}),
    ...(tz ? { timeZone: tz } : {}),
  };
}

export const listUsers = readOperation({
  effect: 'read',
  title: 'List people',
  description: 'The people of the workspace with their addresses.',
  scopes: readsPeople,
  input: z.object({ cursor: z.string().max(500).optional().describe('`next` of the answer before') }),
  output: z.object({ users: z.array(shownUser), next: z.string().optional() }),
  async run(context, { cursor }) {
    const { members, response_metadata } = await send(context, http, {
      ...usersList,
      query: { limit: 200, cursor },
    });
    const next = response_metadata?.next_cursor;
    return { users: members.filter(isPerson).map(person), ...(next ? { next } : {}) };
  },
});

export const getUser = readOperation({
  effect: 'read',
  title: 'Look up a person',
  description: 'One person of the workspace, by id or by e-mail address.',
  scopes: readsPeople,
  input: z.object({
    id: userId.optional(),
    email: z.email().optional(),
  }),
  output: shownUser,
  async run(context, { id, email }) {
    const output = z.object({ user: rawUser });
    if (id !== undefined) {
      const request = { method: 'GET', path: '/users.info', query: { user: id }, output } as const;
      return person((await send(context, http, request)).user);
    }
    if (email === undefined) {
      throw new DrawbridgeError('invalid_request', 'id: give the id or the e-mail address of a person.', {
        field: 'id',
      });
    }
    const request = { method: 'GET', path: '/users.lookupByEmail', query: { email }, output } as const;
    return person((await send(context, http, request)).user);
  },
});

const textLimit = 200_000;

export const fileText = readOperation({
  effect: 'read',
  title: 'Read a file',
  description:
    'The text of a file in Slack, where it is one; of PDF and Office files what was synced is found by search.',
  scopes: ['files:read'],
  input: z.object({ id: fileId }),
  output: z.object({
    id: z.string(),
    name: z.string(),
    mediaType: z.string(),
    size: z.number().optional(),
    url: z.string().optional(),
    text: z.string().optional(),
    shortened: z.boolean().optional(),
  }),
  async run(context, { id }) {
    const file = await fileOf(context, id);
    const way = wayOf(file);
    const base = {
      id,
      name: nameOf(file),
      mediaType: file.mimetype ?? '',
      ...(file.size == null ? {} : { size: file.size }),
      ...(file.permalink == null ? {} : { url: file.permalink }),
    };
    if (way === undefined || !/^text\/(plain|markdown|vtt)$/.test(way)) return base;
    const text = new TextDecoder().decode(await bytesOf(context, file));
    return {
      ...base,
      text: text.slice(0, textLimit),
      ...(text.length > textLimit ? { shortened: true } : {}),
    };
  },
});
