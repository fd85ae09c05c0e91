// How Slack is spoken to, and what its refusals mean: they come with status 200 and `ok: false`.
// https://docs.slack.dev/apis/web-api/#responses
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Answer, Http, Refusal } from '../http.ts';

const text = z.string().optional().catch(undefined);
const refusalBody = z.object({
  ok: z.literal(false),
  error: z.string().catch('unknown_error'),
  needed: text,
  response_metadata: z
    .object({ messages: z.array(z.string()).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** A bearer that may be renewed; of one that never ends, the way to say that it is none. */
const ended = new Set(['token_expired', 'invalid_auth']);

const codes: Record<string, ErrorCode> = {
  not_authed: 'auth_expired',
  invalid_auth: 'auth_expired',
  token_expired: 'auth_expired',
  token_revoked: 'auth_revoked',
  account_inactive: 'auth_revoked',
  missing_scope: 'permission_denied',
  no_permission: 'permission_denied',
  not_allowed_token_type: 'permission_denied',
  access_denied: 'permission_denied',
  ekm_access_denied: 'permission_denied',
  team_access_not_granted: 'permission_denied',
  org_login_required: 'permission_denied',
  not_in_channel: 'permission_denied',
  cant_update_message: 'permission_denied',
  cant_delete_message: 'permission_denied',
  edit_window_closed: 'permission_denied',
  is_inactive: 'conflict',
  is_archived: 'conflict',
  channel_is_limited_access: 'permission_denied',
  ratelimited: 'rate_limited',
  rate_limited: 'rate_limited',
  message_limit_exceeded: 'quota_exhausted',
  channel_not_found: 'not_found',
  message_not_found: 'not_found',
  thread_not_found: 'not_found',
  user_not_found: 'not_found',
  users_not_found: 'not_found',
  user_not_visible: 'not_found',
  file_not_found: 'not_found',
  file_deleted: 'not_found',
  // Something may have been done before it went wrong: of a write nobody knows.
  internal_error: 'provider_unavailable',
  fatal_error: 'provider_unavailable',
  service_unavailable: 'provider_unavailable',
  request_timeout: 'provider_unavailable',
  team_added_to_org: 'provider_unavailable',
};

export const http = {
  baseUrl: 'https://slack.com/api',
  hosts: ['files.slack.com'],
  bearerEnded: (body) => ended.has(refusalBody.safeParse(body).data?.error ?? ''),
  refusal,
} as const satisfies Http;

/** Slack's word for what went wrong: `cant_update_message`. */
function refusal({ status, body }: Answer): Refusal | undefined {
  const told = refusalBody.safeParse(body).data;
  if (told === undefined) return undefined;
  const { error, needed } = told;
  const message = [error, ...(told.response_metadata?.messages ?? [])].join(' ');
  if (status === 429) return { code: 'rate_limited', message };
  if (error === 'missing_scope') {
    return {
      code: 'permission_denied',
      retry: 'reconnect',
      advice: 'Slack has not granted this account what the call needs: connect it again and agree to it.',
      message: needed ?? error,
    };
  }
  if (error === 'not_in_channel') {
    return {
      code: 'permission_denied',
      retry: 'ask',
      advice: 'This account is not in that channel.',
      message,
    };
  }
  const restricted = /^restricted_action/.test(error) ? 'permission_denied' : undefined;
  const known = Object.hasOwn(codes, error) ? codes[error] : restricted;
  return { code: known ?? (status >= 500 ? 'provider_unavailable' : 'invalid_request'), message };
}

/** Lists go on at `next_cursor`; an empty one is the end. https://docs.slack.dev/apis/web-api/pagination */
export const paging = {
  kind: 'cursor',
  parameter: 'cursor',
  next: (body) => metadata.safeParse(body).data?.response_metadata?.next_cursor,
} as const satisfies Http['paging'];

export const metadata = z.object({
  response_metadata: z.object({ next_cursor: text }).optional().catch(undefined),
});

/** What Slack takes at most for a list of channels, members or people. */
export const listed = 999;
