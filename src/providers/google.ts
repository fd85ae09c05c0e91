// What Gmail, Google Calendar and Google Drive have in common: the consent, the official clients inside the
// door, and Google's refusals in our words.
import { Readable } from 'node:stream';
import type { FetchOptions } from '../egress/egress.ts';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { OAuth2 } from './auth.ts';
import { EffectRefused, type ProviderContext, type WriteContext } from './define.ts';
import type { Answer, Http, Refusal } from './http.ts';
import { refusalOf, unlessLeft } from './request.ts';

const scopeBase = 'https://www.googleapis.com/auth/';

/** A scope by its short name: `gmail.readonly`. https://developers.google.com/identity/protocols/oauth2/scopes */
export const scope = (name: string): string => `${scopeBase}${name}`;

/**
 * The consent of one Google product. https://developers.google.com/identity/protocols/oauth2/web-server
 * @param product as the registration steps call it: its API's name in the Google Cloud console.
 * @param scopes short names, asked of everyone.
 */
export function googleAuth(product: string, scopes: readonly string[]) {
  return {
    kind: 'oauth2',
    app: 'google',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    revocation: { url: 'https://oauth2.googleapis.com/revoke', token: 'refresh', body: 'form' },
    issuer: 'https://accounts.google.com',
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: scopes.map(scope),
    // Without both of them Google gives a refresh token at the first consent alone.
    authorizeParameters: { access_type: 'offline', prompt: 'consent' },
    accessToken: { readFrom: 'answer' },
    // Ends after six months unused, and after seven days while the consent screen is in testing.
    refreshToken: { rotation: 'never', lifetime: 'endless' },
    registration: [
      'Open console.cloud.google.com and choose a project, or make one.',
      `APIs & Services → Library: enable the ${product}.`,
      'Google Auth Platform → Branding and Audience: fill in the consent screen. "Internal" suits one company on Google Workspace; "External" in testing admits the test users that you list, and their consent ends after seven days.',
      'Google Auth Platform → Clients → Create client: type "Web application", and under "Authorised redirect URIs" {redirectUrl}',
      'Copy the client ID and the client secret (Google shows the secret once).',
    ],
  } as const satisfies OAuth2;
}

export const googleNotes: readonly string[] = [
  'Gmail, Google Calendar and Google Drive share one registered app; each asks for its own consent.',
  'Google’s own review is needed before strangers may use an app with these scopes; your own Workspace ("Internal") and listed test users need none.',
  'Known, and not verified on a live account: the revocation endpoint, PKCE, client authentication in the body, that a refresh brings no new refresh token, and that one ends after six months unused.',
  'Revoking at Google ends every grant that the account gave to the app, those of the other two products, too (known, not verified).',
];

/** How an API of Google's is reached. */
export function googleHttp<const Base extends string>(baseUrl: Base) {
  return { baseUrl, refusal: googleRefusal } satisfies Http;
}

/** https://developers.google.com/workspace/gmail/api/guides/handle-errors and the same of Calendar and Drive. */
const reasons: Record<string, ErrorCode> = {
  rateLimitExceeded: 'rate_limited',
  userRateLimitExceeded: 'rate_limited',
  sharingRateLimitExceeded: 'rate_limited',
  concurrentLimitExceeded: 'rate_limited',
  RATE_LIMIT_EXCEEDED: 'rate_limited',
  dailyLimitExceeded: 'quota_exhausted',
  quotaExceeded: 'quota_exhausted',
  storageQuotaExceeded: 'quota_exhausted',
  insufficientPermissions: 'permission_denied',
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: 'permission_denied',
  accessNotConfigured: 'permission_denied',
  SERVICE_DISABLED: 'permission_denied',
  authError: 'auth_expired',
  duplicate: 'conflict',
  failedPrecondition: 'invalid_request',
};

interface GoogleError {
  message?: unknown;
  errors?: { reason?: unknown }[];
  details?: { reason?: unknown }[];
}

/** `{error: {code, message, errors: [{reason}], details: [{reason}]}}`; undefined where the status says it all. */
function googleRefusal({ status, headers, body }: Answer): Refusal | undefined {
  if (status < 400) return undefined;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const wait = seconds >= 0 ? { retryAfterMs: Math.round(seconds * 1000) } : {};
  const error = (body as { error?: GoogleError | string } | null | undefined)?.error;
  if (typeof error !== 'object' || error === null) return undefined;
  const more = { ...(typeof error.message === 'string' ? { message: error.message } : {}), ...wait };
  const named = [...list(error.details), ...list(error.errors)].map(({ reason }) => String(reason));
  const code = named.map((reason) => reasons[reason]).find((known) => known !== undefined);
  // 429 always means the rate, whatever its reason is called.
  if (code !== undefined && status !== 429) return { code, ...more };
  const usual = usualCode(status);
  return usual === undefined ? undefined : { code: usual, ...more };
}

function list<T>(value: T[] | undefined): T[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

function usualCode(status: number): ErrorCode | undefined {
  const known: Record<number, ErrorCode> = {
    400: 'invalid_request',
    401: 'auth_expired',
    403: 'permission_denied',
    404: 'not_found',
    409: 'conflict',
    410: 'not_found',
    412: 'conflict',
    429: 'rate_limited',
  };
  return known[status] ?? (status >= 500 ? 'provider_unavailable' : undefined);
}

/** What the official clients take for options: no retries, no HTTP/2 and no proxy of their own, and our door. */
export function throughTheDoor(context: ProviderContext) {
  return {
    retry: false,
    http2: false,
    // Else the environment could move every call to another host, or load a proxy agent.
    universeDomain: 'googleapis.com',
    noProxy: [/^/],
    fetchImplementation: (input: string | URL | Request, init?: RequestInit) => leave(context, input, init),
  };
}

// For answers that are announced as large.
const largeTimeoutMs = 120_000;
/** Headers that describe the client library and the machine it runs on. */
const chatter = ['x-goog-api-client', 'accept-encoding', 'user-agent'];

async function leave(
  context: ProviderContext,
  input: string | URL | Request,
  init: RequestInit & { maxContentLength?: number } = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const name of chatter) headers.delete(name);
  const body: unknown = init.body;
  const options: FetchOptions = {
    method: init.method ?? 'GET',
    headers,
    ...(body == null
      ? {}
      : { body: body instanceof Readable ? await whole(body) : (body as NonNullable<FetchOptions['body']>) }),
    ...(init.maxContentLength === undefined
      ? {}
      : { maxBytes: init.maxContentLength, timeoutMs: largeTimeoutMs }),
  };
  return context.fetch(input, options);
}

async function whole(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** What a client hands over of an answer. */
interface Handed<T> {
  data: T;
  status?: number;
}

/** A client's answer. @throws DrawbridgeError in our words, with Google's as far as they say more. */
export async function ask<T>(work: () => Promise<Handed<T>>): Promise<T> {
  try {
    return dataOf(await work());
  } catch (thrown) {
    throw inOurWords(thrown);
  }
}

/**
 * The one call that causes the effect, made after `aboutToSend`.
 * @throws EffectRefused when Google answered that it did not do it; anything else leaves the outcome unclear.
 */
export async function cause<T>(context: WriteContext, work: () => Promise<Handed<T>>): Promise<T> {
  await context.aboutToSend();
  try {
    return dataOf(await work());
  } catch (thrown) {
    const status = responseOf(thrown)?.status ?? 0;
    const error = inOurWords(thrown);
    if (error instanceof DrawbridgeError && status >= 400 && status < 500 && status !== 408) {
      throw new EffectRefused(error.message, { cause: error });
    }
    throw unlessLeft(error);
  }
}

/** The client hands on what is no JSON as a text, whose members are all absent: that would read as "nothing there". */
function dataOf<T>({ data, status }: Handed<T>): T {
  const nothing = status === 204 || status === 205;
  if (!nothing && (typeof data !== 'object' || data === null || Array.isArray(data))) throw unreadable();
  return data;
}

/**
 * What a client threw: an answer that was a refusal, or what came through it from the door. The client's own
 * error goes no further: it carries the whole request.
 */
function inOurWords(thrown: unknown): unknown {
  const response = responseOf(thrown);
  if (response !== undefined) {
    const data: unknown = 'data' in response ? response.data : undefined;
    const answer = { status: response.status, headers: new Headers(response.headers), body: parsed(data) };
    return refusalOf(googleHttp(''), answer, hostOf(response.url)) ?? unreadable();
  }
  if (thrown instanceof Error && 'config' in thrown) {
    return thrown.cause instanceof Error ? thrown.cause : unreadable();
  }
  return thrown;
}

/** The HTTP answer that an error of a client is about. */
function responseOf(thrown: unknown): Response | undefined {
  if (!(thrown instanceof Error) || !('response' in thrown)) return undefined;
  return thrown.response instanceof Response ? thrown.response : undefined;
}

function unreadable(): DrawbridgeError {
  return new DrawbridgeError('malformed_response', 'Google answered with something that cannot be read.');
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? 'Google';
}

/** Refusals of a download come as bytes or text. */
function parsed(data: unknown): unknown {
  const text = data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : data;
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
