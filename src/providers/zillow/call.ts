// How zillow-com1 on RapidAPI is spoken to: where, with which header beside the key, and its refusals in our
// words. https://docs.rapidapi.com/docs/response-headers
import type { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { Answer, Http, Refusal } from '../http.ts';
import { send } from '../request.ts';

const maxBytes = 8 * 1024 * 1024;
const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;
const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** A public host name, or a server of one's own on loopback (which egress admits only by its flag). */
export function isZillowHost(host: string): boolean {
  return hostName.test(host) || loopbackHost.test(host);
}

export const http = {
  baseUrl: 'https://{host}',
  headers: { 'X-RapidAPI-Host': '{host}' },
  refusal,
} as const satisfies Http;

export type ZillowPath = '/propertyExtendedSearch' | '/property' | '/priceAndTaxHistory' | '/images';

/**
 * @param query absent values are left out
 * @throws DrawbridgeError `malformed_response` when the body is not what `schema` says
 */
export async function call<T>(
  context: ProviderContext,
  path: ZillowPath,
  query: Record<string, string | number | undefined>,
  schema: z.ZodType<T>,
): Promise<T> {
  return send(context, http, { method: 'GET', path, query, output: schema, maxBytes });
}

function refusal({ status, headers, body }: Answer): Refusal | undefined {
  if (status === 401) {
    return {
      code: 'auth_expired',
      advice: 'RapidAPI does not accept the key. Connect Zillow again with a valid one.',
    };
  }
  if (status === 403) {
    return {
      code: 'permission_denied',
      retry: 'ask',
      advice:
        'The RapidAPI key has no subscription to this API. Subscribe to it on rapidapi.com, then try again.',
    };
  }
  if (status === 404) return { code: 'not_found', advice: 'Zillow knows no such listing.' };
  return status === 429 ? tooMany(headers, body) : undefined;
}

/** RapidAPI answers 429 to a month's quota used up and to too many calls a second alike. */
function tooMany(headers: Headers, body: unknown): Refusal {
  const spent =
    headers.get('x-ratelimit-requests-remaining') === '0' || /quota/i.test(JSON.stringify(body) ?? '');
  const resetSeconds = Number(headers.get('x-ratelimit-requests-reset') ?? Number.NaN);
  if (!spent) {
    return {
      code: 'rate_limited',
      advice: 'RapidAPI takes fewer calls a second. Try again in a moment.',
      retryAfterMs: 1000,
    };
  }
  return {
    code: 'quota_exhausted',
    advice: "The RapidAPI plan's quota is used up. Wait for its reset, or change the plan.",
    ...(resetSeconds >= 0 ? { retryAfterMs: Math.round(resetSeconds * 1000) } : {}),
  };
}
