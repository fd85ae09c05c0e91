// The methods of Slack's Web API that stand here: what each takes, which scope it needs, and how it refuses.
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { json, listed, mostListed, refused } from './answers.ts';
import type { Kind } from './sign-in.ts';
import type { SlackChannel, SlackMessage, SlackState } from './state.ts';
import { people } from './story.ts';

export interface Asking {
  state: SlackState;
  /** Of the query and of the body, as one. */
  given: URLSearchParams;
  body: Record<string, unknown>;
  kind: Kind;
  me: string;
  scopes: readonly string[];
  /** Messages in an answer at most. */
  most: number;
}

type Method = (asking: Asking) => Answer;

export function givenIn(call: Call): Pick<Asking, 'given' | 'body'> {
  const given = new URLSearchParams(call.query);
  let body: Record<string, unknown> = {};
  if (call.headers['content-type']?.startsWith('application/json')) {
    body = JSON.parse(call.body) as Record<string, unknown>;
    for (const [name, value] of Object.entries(body)) if (typeof value === 'string') given.set(name, value);
  } else for (const [name, value] of new URLSearchParams(call.body)) given.set(name, value);
  return { given, body };
}

const areas = (channel: SlackChannel): string =>
  channel.is_im ? 'im' : channel.is_mpim ? 'mpim' : channel.is_private ? 'groups' : 'channels';

function lacks({ scopes }: Asking, needed: string): Answer | undefined {
  return scopes.includes(needed)
    ? undefined
    : refused('missing_scope', { needed, provided: scopes.join(',') });
}

/** A channel that the account may see. */
function seen(asking: Asking): SlackChannel | undefined {
  const channel = asking.state.channels.find(({ id }) => id === asking.given.get('channel'));
  const open = channel !== undefined && areas(channel) === 'channels';
  return channel !== undefined && (open || channel.members.includes(asking.me)) ? channel : undefined;
}

function shownChannel(channel: SlackChannel, me: string): Record<string, unknown> {
  const { members, topic, purpose, ...rest } = channel;
  if (channel.is_im) return { ...rest, user: members.find((one) => one !== me) };
  const more = { topic: { value: topic }, purpose: { value: purpose }, num_members: members.length };
  return { ...rest, is_channel: !channel.is_private, ...more };
}

function shownMessage(asking: Asking, channel: string, message: SlackMessage): Record<string, unknown> {
  const { broadcast, metadata, ...rest } = message;
  const replies = asking.state.replies(channel, message.ts);
  return {
    ...rest,
    ...(broadcast === true ? { subtype: 'thread_broadcast' } : {}),
    ...(asking.given.get('include_all_metadata') === 'true' && metadata !== undefined ? { metadata } : {}),
    ...(replies.length === 0
      ? {}
      : {
          thread_ts: message.ts,
          reply_count: replies.length,
          latest_reply: replies
            .map(({ ts }) => ts)
            .sort()
            .at(-1),
        }),
  };
}

/** Those between `oldest` and `latest`. */
function between({ given }: Asking, ts: string): boolean {
  const [oldest, latest] = [given.get('oldest'), given.get('latest')];
  const inclusive = given.get('inclusive') === 'true';
  if (inclusive && (ts === oldest || ts === latest)) return true;
  return (oldest === null || Number(ts) > Number(oldest)) && (latest === null || Number(ts) < Number(latest));
}

/** A page that begins at a message, whatever came or went meanwhile. */
function paged(asking: Asking, all: readonly SlackMessage[], newestFirst: boolean) {
  const { given, most } = asking;
  const cursor = given.get('cursor') ?? '';
  const at = /^next_ts:(\d+\.\d{6})$/.exec(Buffer.from(cursor, 'base64').toString())?.[1];
  if (cursor !== '' && at === undefined) return { error: 'invalid_cursor' } as const;
  const limit = Number(given.get('limit') ?? 100);
  if (!(limit >= 1 && limit < 1000)) return { error: 'invalid_limit' } as const;
  const rest = at === undefined ? all : all.filter(({ ts }) => (newestFirst ? ts <= at : ts >= at));
  const items = rest.slice(0, Math.min(limit, most, mostListed));
  const following = rest[items.length];
  return {
    items,
    has_more: following !== undefined,
    next: following === undefined ? '' : Buffer.from(`next_ts:${following.ts}`).toString('base64'),
  };
}

function messagesOf(asking: Asking, work: (channel: SlackChannel) => Answer): Answer {
  const channel = seen(asking);
  if (channel === undefined) return refused('channel_not_found');
  const missing = lacks(asking, `${areas(channel)}:history`);
  if (missing !== undefined) return missing;
  if (asking.kind === 'bot' && !channel.members.includes(asking.me)) return refused('not_in_channel');
  return work(channel);
}

function writing(asking: Asking, work: (channel: SlackChannel) => Answer): Answer {
  const missing = lacks(asking, 'chat:write');
  if (missing !== undefined) return missing;
  const channel = seen(asking);
  if (channel === undefined) return refused('channel_not_found');
  if (!channel.members.includes(asking.me)) return refused('not_in_channel');
  return channel.is_archived ? refused('is_archived') : work(channel);
}

/** As Slack keeps what was written: bare addresses become links. */
const kept = (text: string): string => text.replace(/(?<![<|])https?:\/\/[^\s<>|]+/g, '<$&>');

/** A message that may be changed, or why it may not. */
function own(asking: Asking, channel: SlackChannel, refusal: string): SlackMessage | Answer {
  const message = asking.state.message(channel.id, asking.given.get('ts') ?? '');
  if (message === undefined) return refused('message_not_found');
  return message.user === asking.me ? message : refused(refusal);
}

const isAnswer = (one: SlackMessage | Answer): one is Answer => 'status' in one;

const needsPeople = (asking: Asking, work: () => Answer): Answer => lacks(asking, 'users:read') ?? work();

function shownUser({ scopes }: Asking, user: SlackState['users'][number]): Record<string, unknown> {
  const { email, ...profile } = user.profile;
  const told = scopes.includes('users:read.email') && email !== undefined ? { email } : {};
  return { ...user, profile: { ...profile, ...told } };
}

export const methods: Readonly<Record<string, Method>> = {
  'auth.test': ({ kind, me, state }) =>
    json({
      ok: true,
      url: 'https://tidewell.slack.com/',
      team: 'Tidewell Homes',
      user: state.users.find(({ id }) => id === me)?.name ?? '',
      team_id: 'T0TIDEWELL',
      user_id: me,
      ...(kind === 'bot' ? { bot_id: 'B0DRAWBRIDGE' } : {}),
      is_enterprise_install: false,
    }),

  'users.list': (asking) =>
    needsPeople(asking, () => {
      const page = listed(asking.state.users, asking.given);
      if ('error' in page) return refused(page.error);
      const members = page.items.map((user) => shownUser(asking, user));
      return json({ ok: true, members, cache_ts: 0, response_metadata: { next_cursor: page.next } });
    }),

  'users.info': (asking) =>
    needsPeople(asking, () => {
      const user = asking.state.users.find(({ id }) => id === asking.given.get('user'));
      return user === undefined
        ? refused('user_not_found')
        : json({ ok: true, user: shownUser(asking, user) });
    }),

  'users.lookupByEmail': (asking) =>
    lacks(asking, 'users:read.email') ??
    needsPeople(asking, () => {
      const user = asking.state.users.find(({ profile }) => profile.email === asking.given.get('email'));
      return user === undefined
        ? refused('users_not_found')
        : json({ ok: true, user: shownUser(asking, user) });
    }),

  'users.conversations': (asking) => {
    const wanted = (asking.given.get('types') ?? 'public_channel').split(',');
    const names = { channels: 'public_channel', groups: 'private_channel', mpim: 'mpim', im: 'im' };
    for (const [area, type] of Object.entries(names)) {
      const missing = wanted.includes(type) ? lacks(asking, `${area}:read`) : undefined;
      if (missing !== undefined) return missing;
    }
    const mine = asking.state.channels.filter(
      (one) => one.members.includes(asking.me) && wanted.includes(names[areas(one) as keyof typeof names]),
    );
    const page = listed(mine, asking.given);
    if ('error' in page) return refused(page.error);
    const channels = page.items.map((one) => shownChannel(one, asking.me));
    return json({ ok: true, channels, response_metadata: { next_cursor: page.next } });
  },

  'conversations.info': (asking) => {
    const channel = seen(asking);
    if (channel === undefined) return refused('channel_not_found');
    return (
      lacks(asking, `${areas(channel)}:read`) ?? json({ ok: true, channel: shownChannel(channel, asking.me) })
    );
  },

  'conversations.members': (asking) => {
    const channel = seen(asking);
    if (channel === undefined) return refused('channel_not_found');
    const missing = lacks(asking, `${areas(channel)}:read`);
    if (missing !== undefined) return missing;
    const page = listed(channel.members, asking.given);
    if ('error' in page) return refused(page.error);
    return json({ ok: true, members: page.items, response_metadata: { next_cursor: page.next } });
  },

  'conversations.history': (asking) =>
    messagesOf(asking, ({ id }) => {
      const all = asking.state.shown(id).filter(({ ts }) => between(asking, ts));
      const page = paged(asking, all, true);
      if (page.error !== undefined) return refused(page.error);
      const messages = page.items.map((one) => shownMessage(asking, id, one));
      const metadata = page.next === '' ? {} : { response_metadata: { next_cursor: page.next } };
      return json({ ok: true, messages, has_more: page.has_more, pin_count: 0, ...metadata });
    }),

  'conversations.replies': (asking) =>
    messagesOf(asking, ({ id }) => {
      const root = asking.state.message(id, asking.given.get('ts') ?? '');
      if (root === undefined) return refused('thread_not_found');
      const replies = asking.state.replies(id, root.ts).filter(({ ts }) => between(asking, ts));
      const page = paged(asking, replies, false);
      if (page.error !== undefined) return refused(page.error);
      // The first message comes with every page.
      const messages = [root, ...page.items].map((one) => shownMessage(asking, id, one));
      const metadata = page.next === '' ? {} : { response_metadata: { next_cursor: page.next } };
      return json({ ok: true, messages, has_more: page.has_more, ...metadata });
    }),

  'chat.postMessage': (asking) =>
    writing(asking, ({ id }) => {
      const { given, body, state, me, kind } = asking;
      const text = given.get('text') ?? '';
      if (text === '') return refused('no_text');
      if (text.length > 40_000) return refused('msg_too_long');
      const root = given.get('thread_ts');
      if (root !== null && state.message(id, root) === undefined) return refused('thread_not_found');
      const metadata = body['metadata'] as SlackMessage['metadata'];
      const made = state.post(id, {
        user: me,
        text: kept(text),
        ...(kind === 'bot' ? { bot_id: 'B0DRAWBRIDGE', bot_profile: { name: 'Drawbridge' } } : {}),
        ...(root === null ? {} : { thread_ts: root }),
        ...(metadata === undefined ? {} : { metadata }),
      });
      return json({ ok: true, channel: id, ts: made.ts, message: shownMessage(asking, id, made) });
    }),

  'chat.update': (asking) =>
    writing(asking, (channel) => {
      const message = own(asking, channel, 'cant_update_message');
      if (isAnswer(message)) return message;
      asking.state.edit(channel.id, message.ts, kept(asking.given.get('text') ?? ''));
      const { ts, text } = message;
      return json({
        ok: true,
        channel: channel.id,
        ts,
        text,
        message: shownMessage(asking, channel.id, message),
      });
    }),

  'chat.delete': (asking) =>
    writing(asking, (channel) => {
      const message = own(asking, channel, 'cant_delete_message');
      if (isAnswer(message)) return message;
      asking.state.delete(channel.id, message.ts);
      return json({ ok: true, channel: channel.id, ts: message.ts });
    }),

  'files.info': (asking) => {
    const found = asking.state.files.get(asking.given.get('file') ?? '');
    if (found === undefined) return refused('file_not_found');
    return lacks(asking, 'files:read') ?? json({ ok: true, file: found.file, comments: [] });
  },
};

export const idOf = (kind: Kind): string => (kind === 'bot' ? people.bot : people.maren);
