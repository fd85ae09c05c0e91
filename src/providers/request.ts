// One declared request of a provider's HTTP API: its address filled in, its answer parsed and held against a
// schema, its refusal in our words. Credentials are the context's; none pass through here.
import type { z } from 'zod';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { ProviderContext } from './define.ts';
import type { Answer, Http } from './http.ts';
import { fillPath, fillUrl } from './template.ts';

export interface DeclaredRequest<Output> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL, with `{placeholders}` of `params`. */
  path: string;
  params?: Readonly<Record<string, string | number>>;
  /** Absent values are left out; a list repeats its name. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  output: z.ZodType<Output>;
  /** Whether a repeat is harmless; default: GET is. */
  idempotent?: boolean;
  /** Largest answer, bytes. */
  maxBytes?: number;
}

/** What a status means where the provider's own `refusal` says nothing. */
const statuses: Record<number, ErrorCode> = {
  400: 'invalid_request',
  401: 'auth_expired',
  403: 'permission_denied',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'not_found',
  412: 'conflict',
  422: 'invalid_request',
  429: 'rate_limited',
};

/** The answer, parsed. @throws DrawbridgeError */
export async function send<Output>(
  context: ProviderContext,
  http: Http,
  request: DeclaredRequest<Output>,
): Promise<Output> {
  return (await exchange(context, http, request)).output;
}

/** The answer with its headers, for paging by links. @throws DrawbridgeError */
export async function exchange<Output>(
  context: ProviderContext,
  http: Http,
  request: DeclaredRequest<Output>,
): Promise<{ output: Output; answer: Answer }> {
  const url = addressOf(context, http, request);
  const json = request.body === undefined ? undefined : JSON.stringify(request.body);
  const response = await context.fetch(url, {
    method: request.method,
    headers: {
      accept: 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...http.headers,
      ...request.headers,
    },
    ...(json === undefined ? {} : { body: json }),
    ...(request.idempotent === undefined ? {} : { idempotent: request.idempotent }),
    ...(request.maxBytes === undefined ? {} : { maxBytes: request.maxBytes }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    body: parse(await response.text()),
  };
  const refused = refusalOf(http, answer, url.hostname);
  if (refused !== undefined) throw refused;
  const parsed = request.output.safeParse(answer.body);
  if (parsed.success) return { output: parsed.data, answer };
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new DrawbridgeError(
    'malformed_response',
    `${url.hostname} answered with something unexpected${at === '' ? '' : ` at "${at}"`}.`,
  );
}

/** The base URL, the path below it and the query; what is put in can leave neither host nor segment. */
export function addressOf(
  context: Pick<ProviderContext, 'fields'>,
  http: Http,
  { path, params = {}, query = {} }: Pick<DeclaredRequest<unknown>, 'path' | 'params' | 'query'>,
): URL {
  const base = fillUrl(http.baseUrl, context.fields);
  const url = new URL(`${base.href.replace(/\/$/, '')}${fillPath(path, params)}`);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url;
}

/** What an answer that is a refusal means; undefined for one that is none. */
export function refusalOf(http: Http, answer: Answer, host: string): DrawbridgeError | undefined {
  const own = http.refusal?.(answer);
  const { status } = answer;
  if (own === undefined && status >= 200 && status < 300) return undefined;
  const code = own?.code ?? statuses[status] ?? (status >= 500 ? 'provider_unavailable' : 'invalid_request');
  const words = own?.message === undefined ? '' : ` It says: ${oneLine(own.message)}`;
  return new DrawbridgeError(code, `${host} refused the request (${status}).${words}`, {
    ...(own?.retryAfterMs === undefined ? {} : { retryAfterMs: own.retryAfterMs }),
  });
}

/** A provider's words inside ours: one line, no controls, bounded. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
