// How HubSpot is spoken to, and what its refusals mean.
// https://developers.hubspot.com/docs/api-reference/error-handling
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Answer, Http, Refusal } from '../http.ts';

const context = z.record(z.string(), z.array(z.string())).optional().catch(undefined);

/** The error body, as far as it is read: `Error` of HubSpot's published specification. */
const errorBody = z.object({
  message: z.string().optional().catch(undefined),
  category: z.string().optional().catch(undefined),
  errors: z
    .array(z.object({ message: z.string(), context }))
    .optional()
    .catch(undefined),
  context,
  policyName: z.string().optional().catch(undefined),
});

/** Which limit was met, and how long it lasts, ms. Names from prior knowledge: a limit of another name is short. */
const shortLimitMs = 1_000;
const rollingLimitMs = 10_000;
/** 423: a large change is under way, "wait at least 2 seconds". */
const lockedMs = 2_000;

const codes: Record<number, ErrorCode> = {
  401: 'auth_expired',
  403: 'permission_denied',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
};

export const http: Http = { baseUrl: 'https://api.hubapi.com', refusal };

function refusal({ status, headers, body }: Answer): Refusal | undefined {
  if (status >= 200 && status < 300) return undefined;
  const { message, category, errors = [], context, policyName } = errorBody.safeParse(body).data ?? {};
  const scopes = [context, ...errors.map((one) => one.context)].flatMap((one) => [
    ...(one?.['requiredGranularScopes'] ?? []),
    ...(one?.['missingScopes'] ?? []),
  ]);
  const said = [message, ...errors.map((one) => one.message), scopes.join(', ')]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  const words = said === '' ? {} : { message: said };
  if (status === 429) {
    const limit = `${policyName ?? ''} ${message ?? ''}`;
    if (/daily/i.test(limit)) return { code: 'quota_exhausted', ...words };
    const wait = headers.has('retry-after') ? {} : { retryAfterMs: limitMs(headers, limit) };
    return { code: 'rate_limited', ...words, ...wait };
  }
  if (status === 423) return { code: 'conflict', ...words, retryAfterMs: lockedMs };
  // HubSpot moves an account between its data centres; Retry-After says for how long.
  if (status === 477) return { code: 'provider_unavailable', ...words };
  if (status === 403 && category === 'MISSING_SCOPES') {
    return {
      code: 'permission_denied',
      retry: 'reconnect',
      advice: 'HubSpot has not granted this account what the call needs: connect it again and agree to it.',
      ...words,
    };
  }
  if (status === 400 && category === 'OBJECT_NOT_FOUND') return { code: 'not_found', ...words };
  return { code: codes[status] ?? (status >= 500 ? 'provider_unavailable' : 'invalid_request'), ...words };
}

function limitMs(headers: Headers, limit: string): number {
  const interval = Number(headers.get('x-hubspot-ratelimit-interval-milliseconds') ?? Number.NaN);
  if (headers.get('x-hubspot-ratelimit-remaining') === '0' && interval > 0) return interval;
  return /ten_?secondly/i.test(limit) ? rollingLimitMs : shortLimitMs;
}
