// One GET to zillow-com1 on RapidAPI: the two headers it wants, and its refusals in our words.
// https://docs.rapidapi.com/docs/response-headers
import type { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';

const maxBytes = 8 * 1024 * 1024;
const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;
const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** A public host name, or a server of one's own on loopback (which egress admits only by its flag). */
export function isZillowHost(host: string): boolean {
  return hostName.test(host) || loopbackHost.test(host);
}

/**
 * @param query absent values are left out
 * @throws DrawbridgeError `malformed_response` when the body is not what `schema` says
 */
export async function call<T>(
  context: ProviderContext,
  path: string,
  query: Record<string, string | number | undefined>,
  schema: z.ZodType<T>,
): Promise<T> {
  const host = String(context.fields['host']);
  const url = new URL(`${loopbackHost.test(host) ? 'http' : 'https'}://${host}${path}`);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const response = await context.fetch(url, {
    headers: {
      accept: 'application/json',
      'X-RapidAPI-Key': context.secret('rapidapi_key').reveal(),
      'X-RapidAPI-Host': host,
    },
    maxBytes,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const body = await response.text();
  if (!response.ok) throw refusal(host, response, body);
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  throw new DrawbridgeError(
    'malformed_response',
    `${host} answered ${path} with something else than a listing.`,
  );
}

function refusal(host: string, response: Response, body: string): DrawbridgeError {
  const { status } = response;
  if (status === 401) {
    return new DrawbridgeError(
      'auth_expired',
      'RapidAPI does not accept the key. Connect Zillow again with a valid one.',
    );
  }
  if (status === 403) {
    return new DrawbridgeError(
      'permission_denied',
      `The RapidAPI key has no subscription to ${host}. Subscribe to the API on rapidapi.com, then try again.`,
      { retry: 'ask' },
    );
  }
  if (status === 404) return new DrawbridgeError('not_found', 'Zillow knows no such listing.');
  if (status === 429) return tooMany(response, body);
  if (status >= 500) return new DrawbridgeError('provider_unavailable', `${host} is failing (${status}).`);
  return new DrawbridgeError('invalid_request', `${host} refused the request (${status}).`);
}

/** RapidAPI answers 429 to a month's quota used up and to too many calls a second alike. */
function tooMany({ headers }: Response, body: string): DrawbridgeError {
  const spent = headers.get('x-ratelimit-requests-remaining') === '0' || /quota/i.test(body);
  const resetSeconds = Number(headers.get('x-ratelimit-requests-reset') ?? Number.NaN);
  if (!spent) {
    return new DrawbridgeError(
      'rate_limited',
      'RapidAPI takes fewer calls a second. Try again in a moment.',
      {
        retryAfterMs: 1000,
      },
    );
  }
  return new DrawbridgeError(
    'quota_exhausted',
    "The RapidAPI plan's quota is used up. Wait for its reset, or change the plan.",
    {
      ...(resetSeconds >= 0 ? { retryAfterMs: Math.round(resetSeconds * 1000) } : {}),
    },
  );
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new DrawbridgeError('malformed_response', 'Zillow answered with something else than JSON.', {
      cause,
    });
  }
}
