// How the Admin API is spoken to: GraphQL over one address, paid for in points. What an answer says of the
// points left is kept for the next query of the same run, which waits exactly as long as it must, or says when.
// https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { ProviderContext, WriteContext } from '../define.ts';
import type { Answer, Paging, Refusal } from '../http.ts';
import { pages } from '../pages.ts';
import { send, sendWrite } from '../request.ts';

/** Shopify names a new version each quarter and keeps each for a year. */
const version = '2026-10';
export const http = { baseUrl: `https://{shop}/admin/api/${version}`, refusal } as const;

/** Longer than this nobody waits inside a call. */
const patienceMs = 20_000;
const mostWaits = 3;
/** Until a place among the five bulk operations of an app is free: Shopify does not say. */
const bulkWaitMs = 60_000;

const text = z.string().optional().catch(undefined);
const cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});
type Cost = z.infer<typeof cost>;
const refusedBody = z.object({
  errors: z
    .union([
      z.string().transform((message) => [{ message, extensions: undefined }]),
      z.array(z.object({ message: text, extensions: z.object({ code: text }).optional().catch(undefined) })),
    ])
    .optional()
    .catch(undefined),
  data: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  extensions: z.object({ cost }).optional().catch(undefined),
});
const userErrors = z.object({
  userErrors: z
    .array(z.object({ field: z.array(z.string()).nullish().catch(undefined), message: text, code: text }))
    .min(1),
});

const codes: Record<string, ErrorCode> = {
  THROTTLED: 'rate_limited',
  ACCESS_DENIED: 'permission_denied',
  SHOP_INACTIVE: 'permission_denied',
  INTERNAL_SERVER_ERROR: 'provider_unavailable',
  TIMEOUT: 'provider_unavailable',
  LIMIT_REACHED: 'rate_limited',
  OPERATION_IN_PROGRESS: 'rate_limited',
};
const advice: Record<string, string> = {
  THROTTLED: 'The points that Shopify gives for this shop are used up for a moment.',
  ACCESS_DENIED:
    'Shopify does not let this app see or do that: its scopes, or its access to protected customer data, do not reach so far.',
  SHOP_INACTIVE: 'The shop is closed.',
  '402': 'The shop is frozen until its owner pays Shopify.',
  '404': 'There is no such shop, or it no longer serves this version of the API.',
  '423': 'Shopify has locked the shop.',
};
const statuses: Record<number, ErrorCode> = { 402: 'permission_denied', 423: 'permission_denied' };

/** Refusals come with status 200, too: `errors` beside the data, `userErrors` inside of it. */
function refusal({ status, body }: Answer): Refusal | undefined {
  const { errors = [], data, extensions } = refusedBody.safeParse(body).data ?? {};
  const [first] = errors;
  const named = first?.extensions?.code ?? (status >= 400 ? String(status) : '');
  const words = advice[named] === undefined ? {} : { advice: advice[named] };
  const message = first?.message === undefined ? {} : { message: first.message };
  if (status >= 400) {
    const code = statuses[status];
    return code === undefined && first === undefined && advice[named] === undefined
      ? undefined
      : { code: code ?? byStatus(status), ...words, ...message };
  }
  if (first !== undefined) {
    const code = codes[named] ?? 'invalid_request';
    const wait = code === 'rate_limited' && extensions !== undefined ? waitOf(extensions.cost) : undefined;
    return {
      code,
      advice: 'Shopify refused the request.',
      ...words,
      ...message,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    };
  }
  for (const payload of Object.values(data ?? {})) {
    const fault = userErrors.safeParse(payload).data?.userErrors[0];
    if (fault === undefined) continue;
    const code = codes[fault.code ?? ''] ?? 'invalid_request';
    const said = [fault.field?.join('.'), fault.message].filter((part) => part !== undefined && part !== '');
    const wait = code === 'rate_limited' ? { retryAfterMs: bulkWaitMs } : {};
    return { code, advice: 'Shopify did not do it.', message: said.join(': '), ...wait };
  }
  return undefined;
}

function byStatus(status: number): ErrorCode {
  if (status === 401) return 'auth_expired';
  if (status === 403) return 'permission_denied';
  if (status === 404) return 'not_found';
  if (status === 409) return 'conflict';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'provider_unavailable' : 'invalid_request';
}

/** Ms until the bucket holds what the query may cost. */
function waitOf({ requestedQueryCost, throttleStatus }: Cost): number {
  const { currentlyAvailable, restoreRate } = throttleStatus;
  return Math.max(0, Math.ceil(((requestedQueryCost - currentlyAvailable) / restoreRate) * 1_000));
}

const paces = new WeakMap<ProviderContext, ProviderContext>();

/** The context with a fetch that knows the points; one for each run, as long as it lasts. */
function paced<Context extends ProviderContext>(context: Context): Context {
  const known = paces.get(context);
  if (known !== undefined) return known as Context;
  const costs = new Map<string, number>();
  let last: (Cost['throttleStatus'] & { at: number }) | undefined;

  function waitFor(document: string): number {
    const requestedQueryCost = costs.get(document);
    if (last === undefined || requestedQueryCost === undefined) return 0;
    const back = ((context.clock.elapsed() - last.at) / 1_000) * last.restoreRate;
    const currentlyAvailable = Math.min(last.maximumAvailable, last.currentlyAvailable + back);
    return waitOf({ requestedQueryCost, throttleStatus: { ...last, currentlyAvailable } });
  }

  const fresh: Context = {
    ...context,
    async fetch(input, init) {
      const document = documentOf(init?.body);
      for (let waits = 0; ; waits += 1) {
        const ms = waitFor(document);
        // Beyond patience it is asked all the same: Shopify refuses, and says how long.
        if (ms > 0 && ms <= patienceMs) await context.clock.sleep(ms, { signal: context.signal });
        const response = await context.fetch(input, init);
        const body = await jsonOf(response.clone());
        const told = body?.extensions?.cost;
        if (told !== undefined) {
          costs.set(document, told.requestedQueryCost);
          last = { ...told.throttleStatus, at: context.clock.elapsed() };
        }
        // Refused before anything was done: a mutation may be asked again, too.
        const throttled = response.status === 200 && body?.errors?.[0]?.extensions?.code === 'THROTTLED';
        if (!throttled || told === undefined || waits === mostWaits || waitOf(told) > patienceMs) {
          return response;
        }
      }
    },
  };
  paces.set(context, fresh);
  return fresh;
}

function documentOf(body: unknown): string {
  const asked = z.object({ query: z.string() }).safeParse(typeof body === 'string' ? JSON.parse(body) : body);
  return asked.data?.query ?? '';
}

async function jsonOf(response: Response): Promise<z.infer<typeof refusedBody> | undefined> {
  try {
    return refusedBody.safeParse(await response.json()).data;
  } catch (thrown) {
    // No JSON: whoever reads the answer says so.
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

type Variables = Readonly<Record<string, unknown>>;
const place = { method: 'POST', path: '/graphql.json' } as const;

/** `data` of a query, or of a mutation that changes nothing in the shop. @throws DrawbridgeError */
export async function ask<Data>(
  context: ProviderContext,
  query: string,
  variables: Variables,
  data: z.ZodType<Data>,
  { idempotent = true } = {},
): Promise<Data> {
  const body = { query, variables };
  const output = z.object({ data });
  return (await send(paced(context), http, { ...place, body, output, idempotent })).data;
}

/** `data` of a mutation. @throws EffectRefused, DrawbridgeError as `sendWrite` */
export async function change<Data>(
  context: WriteContext,
  query: string,
  variables: Variables,
  data: z.ZodType<Data>,
): Promise<Data> {
  const output = z.object({ data });
  return (await sendWrite(paced(context), http, { ...place, body: { query, variables }, output })).data;
}

export const pageInfo = z.object({ endCursor: z.string().nullable(), hasNextPage: z.boolean() });
const listBody = z.object({ data: z.object({ list: z.object({ pageInfo }) }) });
const paging: Paging = {
  kind: 'graphql',
  variable: 'after',
  pageInfo: (body) => listBody.parse(body).data.list.pageInfo,
};

/** A list, page by page; `next` goes on behind a page. @throws DrawbridgeError */
export async function* listed<Row>(
  context: ProviderContext,
  query: string,
  variables: Variables,
  row: z.ZodType<Row>,
  from?: string,
): AsyncGenerator<{ rows: Row[]; next: string | undefined }> {
  const output = z.object({ data: z.object({ list: z.object({ nodes: z.array(row), pageInfo }) }) });
  const request = { ...place, body: { query, variables }, output, idempotent: true };
  for await (const page of pages(paced(context), http, request, paging, from)) {
    yield { rows: page.output.data.list.nodes, next: page.next };
  }
}

/** A text as one term of Shopify's search, whatever stands in it. https://shopify.dev/docs/api/usage/search-syntax */
export function phrase(words: string): string {
  return `"${words.replace(/["\\]/g, '\\$&')}"`;
}
