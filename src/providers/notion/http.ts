// How Notion is spoken to: one version of its API, lists by cursor, and its refusals in our words.
// https://developers.notion.com/reference/status-codes
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Answer, Http, Paging, Refusal } from '../http.ts';

/** What the types say that requests and answers are held against. */
const notionVersion = '2026-03-11';

const nextCursor = (body: unknown): string | undefined =>
  z.object({ has_more: z.boolean(), next_cursor: z.string().nullable() }).safeParse(body).data?.next_cursor ??
  undefined;

export const http = {
  baseUrl: 'https://api.notion.com',
  headers: { 'Notion-Version': notionVersion },
  paging: { kind: 'cursor', parameter: 'start_cursor', next: nextCursor },
  refusal,
} as const satisfies Http;

/** Of what is asked by POST. */
export const pagingInBody: Paging = { ...http.paging, in: 'body' };

/** The answer of a list. `request_status`: whether Notion itself gave up before its end. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    results: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
    request_status: z.object({ type: z.string() }).optional(),
  });

const codes: Record<string, ErrorCode> = {
  unauthorized: 'auth_expired',
  restricted_resource: 'permission_denied',
  object_not_found: 'not_found',
  rate_limited: 'rate_limited',
  conflict_error: 'conflict',
  internal_server_error: 'provider_unavailable',
  service_overload: 'rate_limited',
  service_unavailable: 'provider_unavailable',
  gateway_timeout: 'provider_unavailable',
  database_connection_unavailable: 'provider_unavailable',
  invalid_json: 'invalid_request',
  invalid_request_url: 'invalid_request',
  invalid_request: 'invalid_request',
  validation_error: 'invalid_request',
};

/** 529: overloaded, "slow down" as 429 does. */
const statuses: Record<number, ErrorCode> = { 529: 'rate_limited' };

const errorBody = z.object({
  code: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});

/** `{object: "error", status, code, message, request_id}` */
function refusal({ status, body }: Answer): Refusal | undefined {
  if (status < 400) return undefined;
  const said = errorBody.safeParse(body).data ?? {};
  const code = statuses[status] ?? codes[said.code ?? ''] ?? usual(status);
  if (code === undefined) return undefined;
  const words = said.message === undefined ? {} : { message: said.message };
  if (code === 'conflict') {
    // Somebody else wrote at the same moment: Notion did nothing, and says to try again.
    return { code, retry: 'later', ...words };
  }
  if (code === 'not_found') {
    const advice =
      'Notion knows nothing there, or it is not shared with Drawbridge: share the page in Notion (••• → Connections).';
    return { code, advice, ...words };
  }
  if (code === 'auth_expired') {
    return { code, advice: 'Notion does not accept the access, or no longer: connect it again.', ...words };
  }
  if (said.code === 'restricted_resource') {
    const advice =
      'The integration may not do that: its capabilities are set at https://www.notion.so/profile/integrations.';
    return { code, retry: 'ask', advice, ...words };
  }
  return { code, ...words };
}

/** Without a body of its own; undefined: the status decides. */
function usual(status: number): ErrorCode | undefined {
  const plain: Record<number, ErrorCode> = { 403: 'permission_denied', 404: 'not_found', 409: 'conflict' };
  return plain[status];
}

const hex = /^[0-9a-f]{32}$/;

/** An id with its dashes, from itself or from the address of a page; undefined for anything else. */
export function idIn(text: string): string | undefined {
  const url = URL.parse(text);
  const own = url !== null && /(^|\.)notion\.(so|com|site)$/.test(url.hostname);
  // A page that is opened beside a list stands in the query.
  const words = own ? (url.searchParams.get('p') ?? url.pathname.split('/').at(-1) ?? '') : text.trim();
  const bare = words.replaceAll('-', '').toLowerCase();
  const found = own ? bare.slice(-32) : bare;
  return hex.test(found) ? found.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : undefined;
}

/** An id, or the address that Notion shows of it. */
export const notionId = z
  .string()
  .max(2000)
  .transform((text, context) => {
    const id = idIn(text);
    if (id !== undefined) return id;
    context.addIssue({
      code: 'custom',
      message: 'must be an id of Notion (32 hex digits) or the address of a page',
    });
    return z.NEVER;
  });

/** Where people see it. */
export const pageAddress = (id: string): string => `https://www.notion.so/${id.replaceAll('-', '')}`;
