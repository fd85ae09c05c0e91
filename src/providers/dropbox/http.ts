// How Dropbox is spoken to: calls with JSON on one host, bytes on another with the arguments in a header, and
// refusals that say in tags what they mean.
import { z } from 'zod';
import { DrawbridgeError, type ErrorCode } from '../../errors.ts';
import type { ProviderContext, WriteContext } from '../define.ts';
import type { Answer, Http, Refusal } from '../http.ts';
import { refusalOf, send, sendWrite } from '../request.ts';

export const http = {
  baseUrl: 'https://api.dropboxapi.com/2',
  hosts: ['content.dropboxapi.com'],
  refusal,
} as const satisfies Http;
const content = { baseUrl: 'https://content.dropboxapi.com/2', refusal } as const satisfies Http;

/** The largest answer with JSON: 2,000 entries. Bytes. */
const mostJson = 16 * 1024 * 1024;
const largeTimeoutMs = 120_000;

export type Route =
  | '/users/get_current_account'
  | '/files/list_folder'
  | '/files/list_folder/continue'
  | '/files/search_v2'
  | '/files/search/continue_v2'
  | '/files/get_metadata'
  | '/sharing/list_folder_members'
  | '/sharing/list_folder_members/continue';
type WriteRoute = '/files/delete_v2' | '/files/restore';

/**
 * Asks without an effect. @param args null where the route takes none
 * @throws DrawbridgeError
 */
export async function call<Output>(
  context: ProviderContext,
  route: Route,
  args: object | null,
  output: z.ZodType<Output>,
): Promise<Output> {
  const asking = { headers: rootOf(context), idempotent: true, maxBytes: mostJson };
  return send(context, http, { method: 'POST', path: route, body: args, output, ...asking });
}

/** @throws EffectRefused, DrawbridgeError as `sendWrite` */
export async function callWrite<Output>(
  context: WriteContext,
  route: WriteRoute,
  args: object,
  output: z.ZodType<Output>,
): Promise<Output> {
  return sendWrite(context, http, {
    method: 'POST',
    path: route,
    body: args,
    headers: rootOf(context),
    output,
  });
}

/** @throws EffectRefused, DrawbridgeError as `sendWrite` */
export async function upload<Output>(
  context: WriteContext,
  args: object,
  bytes: Uint8Array<ArrayBuffer>,
  output: z.ZodType<Output>,
): Promise<Output> {
  const headers = { ...rootOf(context), 'dropbox-api-arg': headerJson(args) };
  return sendWrite(context, content, { method: 'POST', path: '/files/upload', bytes, headers, output });
}

/** A file's bytes. @throws DrawbridgeError `malformed_response` when larger than `limit` bytes */
export async function download(
  context: ProviderContext,
  route: '/files/download' | '/files/export',
  args: object,
  limit: number,
): Promise<Buffer> {
  const url = new URL(`${content.baseUrl}${route}`);
  const response = await context.fetch(url, {
    method: 'POST',
    headers: { ...rootOf(context), 'dropbox-api-arg': headerJson(args) },
    idempotent: true,
    maxBytes: limit,
    timeoutMs: largeTimeoutMs,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const { status, headers } = response;
  const bytes = Buffer.from(await response.arrayBuffer());
  const refused =
    status === 200
      ? undefined
      : refusalOf(content, { status, headers, body: parsed(bytes) }, url.hostname, context.clock.now());
  if (refused !== undefined) throw refused;
  // What came is the file only if Dropbox says what file it is.
  if (!headers.has('dropbox-api-result')) {
    throw new DrawbridgeError(
      'malformed_response',
      `${url.hostname} answered with something that is no file.`,
    );
  }
  return bytes;
}

/**
 * The space that paths are meant in: of somebody in a team, the team's, so that its folders are seen.
 * https://developers.dropbox.com/dbx-team-files-guide
 */
function rootOf({ fields }: ProviderContext): Record<string, string> {
  const root = fields['root'];
  return typeof root === 'string' ? { 'dropbox-api-path-root': headerJson({ '.tag': 'root', root }) } : {};
}

/** JSON that a header can carry: what is not ASCII is escaped. https://www.dropbox.com/developers/reference/json-encoding */
export function headerJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Of the error's tags the last one that is known here says what it means. */
export const tags: Readonly<Record<string, ErrorCode>> = {
  // Of every route: auth.stone
  invalid_access_token: 'auth_expired',
  expired_access_token: 'auth_expired',
  user_suspended: 'auth_revoked',
  invalid_select_user: 'permission_denied',
  invalid_select_admin: 'permission_denied',
  missing_scope: 'permission_denied',
  route_access_denied: 'permission_denied',
  invalid_account_type: 'permission_denied',
  paper_access_denied: 'permission_denied',
  team_access_denied: 'permission_denied',
  no_permission: 'permission_denied',
  too_many_requests: 'rate_limited',
  too_many_write_operations: 'rate_limited',
  invalid_root: 'permission_denied',
  // Looking up: files.stone
  not_found: 'not_found',
  not_file: 'invalid_request',
  not_folder: 'invalid_request',
  malformed_path: 'invalid_request',
  restricted_content: 'permission_denied',
  unsupported_content_type: 'invalid_request',
  unsupported_file: 'invalid_request',
  locked: 'conflict',
  reset: 'not_found',
  invalid_argument: 'invalid_request',
  internal_error: 'provider_unavailable',
  non_exportable: 'invalid_request',
  invalid_export_format: 'invalid_request',
  retry_error: 'provider_unavailable',
  // Writing: files.stone
  conflict: 'conflict',
  no_write_permission: 'permission_denied',
  insufficient_space: 'quota_exhausted',
  disallowed_name: 'invalid_request',
  team_folder: 'permission_denied',
  operation_suppressed: 'permission_denied',
  access_restricted: 'permission_denied',
  too_many_files: 'invalid_request',
  payload_too_large: 'invalid_request',
  content_hash_mismatch: 'invalid_request',
  encryption_not_supported: 'invalid_request',
  properties_error: 'invalid_request',
  invalid_revision: 'not_found',
  in_progress: 'provider_unavailable',
  // Who may see it: sharing.stone
  email_unverified: 'permission_denied',
  invalid_id: 'not_found',
  not_a_member: 'permission_denied',
  invalid_member: 'permission_denied',
  unmounted: 'not_found',
  invalid_cursor: 'invalid_request',
};

const advice: Record<string, string> = {
  missing_scope:
    'The app was not given this permission. Set it in the app’s console, and connect Dropbox again.',
  invalid_root: 'The team’s space has moved. Connect Dropbox again.',
  insufficient_space: 'The Dropbox is full.',
};
/** Mended by a person who connects again. */
const reconnecting = new Set(['missing_scope', 'invalid_root']);

const refused = z.object({
  error_summary: z.string().optional().catch(undefined),
  error: z.unknown(),
});

/** https://www.dropbox.com/developers/documentation/http/documentation#error-handling */
function refusal({ status, headers, body }: Answer): Refusal | undefined {
  if (status < 400) return undefined;
  // 400 is told in a line of text.
  if (typeof body === 'string') {
    return status === 400 ? { code: 'invalid_request', message: body } : undefined;
  }
  const { data } = refused.safeParse(body);
  const found = tagsIn(data?.error);
  const known = found.findLast((tag) => Object.hasOwn(tags, tag));
  const code = status === 429 ? 'rate_limited' : known === undefined ? undefined : tags[known];
  if (code === undefined) return undefined;
  const seconds = retryAfter.safeParse(data?.error).data?.retry_after;
  const wait = seconds === undefined || headers.has('retry-after') ? {} : { retryAfterMs: seconds * 1000 };
  return {
    code,
    ...wait,
    ...(data?.error_summary === undefined ? {} : { message: data.error_summary.replace(/\/\.*$/, '') }),
    ...(known === undefined || advice[known] === undefined ? {} : { advice: advice[known] }),
    ...(known !== undefined && reconnecting.has(known) ? { retry: 'reconnect' } : {}),
  };
}

const retryAfter = z.object({ retry_after: z.number().min(0) });

/** `{".tag": "path", "path": {".tag": "not_found"}}`: the tags from the outside in; none where it is none of these. */
function tagsIn(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const tag = '.tag' in error ? error['.tag'] : undefined;
  const below = Object.values(error).flatMap((value) => tagsIn(value, depth + 1));
  return [...(typeof tag === 'string' ? [tag] : []), ...below];
}

function parsed(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
