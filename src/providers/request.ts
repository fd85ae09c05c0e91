// One declared request of a provider's HTTP API: its address filled in, its answer parsed and held against a
// schema, its refusal in our words. Credentials are the context's; none pass through here.
import type { z } from 'zod';
import { neverLeft } from '../egress/never-left.ts';
import { retryAfterMs } from '../egress/retry.ts';
import { codeOfStatus, DrawbridgeError, type ErrorCode } from '../errors.ts';
import { scrub } from '../secret.ts';
import { visibleLine } from '../untrusted.ts';
import { EffectRefused, type ProviderContext, type WriteContext } from './define.ts';
import type { Answer, Http } from './http.ts';
import { fillHeader, fillPath, fillUrl, type Names, type Written } from './template.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Path = `/${string}`;
/** Absent values are left out; a list repeats its name. */
export type Query = Readonly<
  Record<string, string | number | boolean | readonly (string | number)[] | undefined>
>;

/** A request but for its address. */
export interface RequestAt<Output> {
  method: Method;
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as they are, in place of a body. */
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Readonly<Record<string, string>>;
  output: z.ZodType<Output>;
  /** Whether a repeat is harmless; default: GET is. */
  idempotent?: boolean;
  /** Largest answer, bytes. */
  maxBytes?: number;
}

/** `path`: below the base URL, written out, with `{placeholders}`; each of them must have its value in `params`. */
export type DeclaredRequest<Output, P extends Path = Path> = RequestAt<Output> & {
  path: P;
} & ([Names<P>] extends [never]
    ? { params?: Readonly<Record<string, string | number>> }
    : { params: Readonly<Record<Names<P>, string | number>> });

/** Answers after which nobody knows whether the effect happened. */
const unclearCodes = new Set<ErrorCode>(['timeout', 'network', 'provider_unavailable', 'internal']);

/** The answer, parsed. @throws DrawbridgeError */
export async function send<Output, const P extends Path>(
  context: ProviderContext,
  http: Http,
  request: DeclaredRequest<Output, P> & { path: Written<P> },
): Promise<Output> {
  return (await exchangeAt(context, http, addressOf(context, http, request), request)).output;
}

/** What was asked for; undefined where the provider says that it is not there, or no more. @throws DrawbridgeError else */
export async function ifThere<Found>(asked: Promise<Found>): Promise<Found | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/**
 * The answer of a request that causes an effect; opens the gate just before it. What the provider clearly did
 * not do is an EffectRefused; anything else that is no proper answer leaves the outcome unclear.
 * @throws EffectRefused, DrawbridgeError
 */
export async function sendWrite<Output, const P extends Path>(
  context: WriteContext,
  http: Http,
  request: DeclaredRequest<Output, P> & { path: Written<P> },
): Promise<Output> {
  return sendWriteAt(context, http, addressOf(context, http, request), request);
}

/** The same at an address that is already complete. @throws EffectRefused, DrawbridgeError */
export async function sendWriteAt<Output>(
  context: WriteContext,
  http: Http,
  url: URL,
  request: RequestAt<Output>,
): Promise<Output> {
  await context.aboutToSend();
  const asked = { ...request, idempotent: request.idempotent ?? false };
  const answer = await ask(context, http, url, asked).catch((thrown: unknown) => {
    throw unlessLeft(thrown);
  });
  const refused = refusalOf(http, answer, url.hostname, context.clock.now());
  if (refused !== undefined) {
    // A repeat made by the door may have met what its own first attempt did.
    const ownTrace = request.idempotent === true && refused.code === 'conflict';
    if (unclearCodes.has(refused.code) || answer.status >= 500 || ownTrace) throw refused;
    throw new EffectRefused(refused.message, { cause: refused });
  }
  return parsed(url, answer, request.output);
}

/** What the one call that causes an effect threw; an EffectRefused where the door did not let it out. */
export function unlessLeft(thrown: unknown): unknown {
  return neverLeft(thrown) ? new EffectRefused(thrown.message, { cause: thrown }) : thrown;
}

/** The answer with its headers, of an address that is already complete. @throws DrawbridgeError */
export async function exchangeAt<Output>(
  context: ProviderContext,
  http: Http,
  url: URL,
  request: RequestAt<Output>,
): Promise<{ output: Output; answer: Answer }> {
  const answer = await ask(context, http, url, request);
  const refused = refusalOf(http, answer, url.hostname, context.clock.now());
  if (refused !== undefined) throw refused;
  return { output: parsed(url, answer, request.output), answer };
}

async function ask(
  context: ProviderContext,
  http: Http,
  url: URL,
  request: RequestAt<unknown>,
): Promise<Answer> {
  const [type, body] =
    request.bytes === undefined
      ? ['application/json', request.body === undefined ? undefined : JSON.stringify(request.body)]
      : ['application/octet-stream', request.bytes];
  const response = await context.fetch(url, {
    method: request.method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headersOf(http, context.fields),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body }),
    ...(request.idempotent === undefined ? {} : { idempotent: request.idempotent }),
    ...(request.maxBytes === undefined ? {} : { maxBytes: request.maxBytes }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const { status, headers } = response;
  return { status, headers, body: parseBody(await response.text()) };
}

function headersOf(http: Http, fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers = Object.entries(http.headers ?? {});
  return Object.fromEntries(headers.map(([name, value]) => [name, fillHeader(value, fields)]));
}

/** @throws DrawbridgeError `malformed_response`; names the place, never the value */
function parsed<Output>(url: URL, answer: Answer, output: z.ZodType<Output>): Output {
  const said = /\bjson\b/i.test(answer.headers.get('content-type') ?? '');
  if (said && typeof answer.body === 'string') {
    throw new DrawbridgeError(
      'malformed_response',
      `${url.hostname} answered with something that is no JSON.`,
    );
  }
  const result = output.safeParse(answer.body);
  if (result.success) return result.data;
  const at = visibleLine(result.error.issues[0]?.path.join('.') ?? '', 100);
  throw new DrawbridgeError(
    'malformed_response',
    `${url.hostname} answered with something unexpected${at === '' ? '' : ` at "${at}"`}.`,
  );
}

/**
 * The base URL, the path below it and the query; what is put in can leave neither host nor segment.
 * @throws DrawbridgeError `invalid_request` with `field`
 */
export function addressOf(
  context: Pick<ProviderContext, 'fields'>,
  http: Http,
  request: { path: string; params?: Readonly<Record<string, unknown>>; query?: Query },
): URL {
  const { path, params = {}, query = {} } = request;
  const base = fillUrl(http.baseUrl, context.fields);
  const prefix = base.pathname.replace(/\/$/, '');
  const url = new URL(`${base.origin}${prefix}${fillPath(path, params)}`);
  if (url.origin !== base.origin || !url.pathname.startsWith(`${prefix}/`) || url.search + url.hash !== '') {
    throw new DrawbridgeError('internal', `A request to ${base.hostname} is declared with an unusable path.`);
  }
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    const values = typeof value === 'object' ? value : [value];
    for (const one of values) url.searchParams.append(name, String(one));
  }
  return url;
}

/**
 * What an answer that is a refusal means; undefined for one that is none.
 * @param now integer ms; without it a Retry-After that is a date tells nothing
 */
export function refusalOf(
  http: Pick<Http, 'refusal'>,
  answer: Answer,
  host: string,
  now = Number.NaN,
): DrawbridgeError | undefined {
  const own = http.refusal?.(answer);
  const { status } = answer;
  if (own === undefined && status >= 200 && status < 300) return undefined;
  const code = own?.code ?? codeOfStatus(status);
  // What a provider says may repeat what it was sent.
  const words = own?.message === undefined ? '' : ` It says: ${visibleLine(scrub(own.message), 300)}`;
  const wait = own?.retryAfterMs ?? retryAfterMs(answer.headers.get('retry-after'), now);
  const what = own?.advice ?? `${host} refused the request (${status}).`;
  return new DrawbridgeError(code, `${what}${words}`, {
    ...(own?.retry === undefined ? {} : { retry: own.retry }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
