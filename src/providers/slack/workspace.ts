// The people and channels of a workspace: who is called what, and who may read where.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import { pages } from '../pages.ts';
import { send } from '../request.ts';
import { http, listed, metadata, paging } from './http.ts';
import { type RawChannel, type RawUser, rawChannel, rawUser } from './shapes.ts';

export interface People {
  nameOf(id: string): string | undefined;
  /** Lower case; undefined where Slack tells none. */
  addressOf(id: string): string | undefined;
}

export const userName = ({ name, real_name, profile }: RawUser): string =>
  [profile?.real_name, real_name, profile?.display_name, name].find((one) => one != null && one !== '') ?? '';

/** @param most pages of people: a question that must be quick asks for one */
export async function peopleOf(context: ProviderContext, most = Number.POSITIVE_INFINITY): Promise<People> {
  const users = new Map<string, RawUser>();
  let read = 0;
  for await (const { output } of pages(context, http, usersList, paging)) {
    for (const user of output.members) users.set(user.id, user);
    read += 1;
    if (read >= most) break;
  }
  return {
    nameOf(id) {
      const user = users.get(id);
      return user === undefined ? undefined : userName(user);
    },
    addressOf: (id) => users.get(id)?.profile?.email?.toLowerCase(),
  };
}

/** https://docs.slack.dev/reference/methods/users.list */
export const usersList = {
  method: 'GET',
  path: '/users.list',
  query: { limit: listed },
  output: metadata.extend({ members: z.array(rawUser) }),
} as const;

/** Those that the account is in. https://docs.slack.dev/reference/methods/users.conversations */
export async function channelsOf(context: ProviderContext): Promise<RawChannel[]> {
  const asked = {
    method: 'GET',
    path: '/users.conversations',
    query: { types: channelTypes, exclude_archived: false, limit: listed },
    output: channelsAnswer,
  } as const;
  const channels: RawChannel[] = [];
  for await (const { output } of pages(context, http, asked, paging)) channels.push(...output.channels);
  return channels;
}

export const channelTypes = 'public_channel,private_channel,mpim,im';
export const channelsAnswer = metadata.extend({ channels: z.array(rawChannel) });

/** https://docs.slack.dev/reference/methods/conversations.info */
export async function channelOf(context: ProviderContext, channel: string): Promise<RawChannel> {
  const { channel: found } = await send(context, http, {
    method: 'GET',
    path: '/conversations.info',
    query: { channel },
    output: z.object({ channel: rawChannel }),
  });
  return found;
}

/** `#offers`, or with whom a direct message is. */
export function channelName(channel: RawChannel, people?: People): string {
  const { id, name, user, is_im } = channel;
  if (is_im === true) return `@${people?.nameOf(user ?? '') ?? user ?? id}`;
  return name == null || name === '' ? id : `#${name}`;
}

/**
 * Ids of those in a channel that not everybody may read; undefined for a public one.
 * https://docs.slack.dev/reference/methods/conversations.members
 */
export async function membersOf(
  context: ProviderContext,
  channel: RawChannel,
): Promise<string[] | undefined> {
  const { id, is_im, is_mpim, is_private, user } = channel;
  if (is_im === true) return [String(context.fields['me'] ?? ''), ...(user == null ? [] : [user])];
  if (is_mpim !== true && is_private !== true) return undefined;
  const asked = {
    method: 'GET',
    path: '/conversations.members',
    query: { channel: id, limit: listed },
    output: metadata.extend({ members: z.array(z.string()) }),
  } as const;
  const members: string[] = [];
  for await (const { output } of pages(context, http, asked, paging)) members.push(...output.members);
  return members;
}

/** As memory knows readers; one without an address is noted, and is nobody whom we know. */
export function readersOf(members: readonly string[] | undefined, people: People): string[] | undefined {
  return members?.map((id) => people.addressOf(id) ?? `slack:${id.toLowerCase()}`).sort();
}
