// Messages of a channel and replies to one: the two questions that Slack limits most.
// https://docs.slack.dev/apis/web-api/rate-limits
import type { ProviderContext } from '../define.ts';
import type { Query } from '../request.ts';
import { ifThere, send } from '../request.ts';
import { http } from './http.ts';
import { messagesAnswer, type RawMessage } from './shapes.ts';

/** One call a minute, of an app that is distributed outside of Slack's Marketplace. */
export const comeBackMs = 60_000;
const pacedLimit = 15;
const usualLimit = 200;

/** Whether the registered app is one whose history is limited. */
export function isPaced({ fields }: Pick<ProviderContext, 'fields'>): boolean {
  return fields['app'] === 'distributed';
}

/** Messages in one answer at most. */
export const mostMessages = (context: Pick<ProviderContext, 'fields'>): number =>
  isPaced(context) ? pacedLimit : usualLimit;

interface Page {
  messages: RawMessage[];
  next: string | undefined;
}

/** Newest first. https://docs.slack.dev/reference/methods/conversations.history */
export async function askHistory(context: ProviderContext, channel: string, query: Query): Promise<Page> {
  const { messages, response_metadata } = await send(context, http, {
    method: 'GET',
    path: '/conversations.history',
    query: { channel, limit: mostMessages(context), ...query },
    output: messagesAnswer,
  });
  return { messages, next: response_metadata?.next_cursor || undefined };
}

/**
 * A message and its replies, oldest first. https://docs.slack.dev/reference/methods/conversations.replies
 * @returns undefined where it is there no more
 */
export async function askReplies(
  context: ProviderContext,
  channel: string,
  ts: string,
  cursor?: string,
): Promise<Page | undefined> {
  const found = await ifThere(
    send(context, http, {
      method: 'GET',
      path: '/conversations.replies',
      query: { channel, ts, limit: mostMessages(context), cursor },
      output: messagesAnswer,
    }),
  );
  return found && { messages: found.messages, next: found.response_metadata?.next_cursor || undefined };
}
