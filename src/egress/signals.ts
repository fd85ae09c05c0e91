// What a provider's headers say about its limits: how long to wait, and when a window is used up. The ways to
// say it are many; what is not understood is left alone.
import { retryAfterMs } from './retry.ts';

const longestMs = 24 * 3_600_000;
// Below it a number is seconds to wait, above it a time: seconds since 1970, or milliseconds.
const firstTime = 1_000_000_000;
const firstMillis = 100_000_000_000;

/** Names by which services tell what is left and when it begins anew. */
const pairs: [left: string, reset: string][] = [
  // GitHub and most that followed: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
  ['x-ratelimit-remaining', 'x-ratelimit-reset'],
  ['x-rate-limit-remaining', 'x-rate-limit-reset'],
  // draft-ietf-httpapi-ratelimit-headers, its first form
  ['ratelimit-remaining', 'ratelimit-reset'],
];

/**
 * How long nothing more should be sent, in ms: the provider refused with a time (429), or its window is used
 * up. Undefined where it says nothing of the kind. `now`: integer ms.
 */
export function pauseAsked(status: number, headers: Headers, now: number): number | undefined {
  const asked = status === 429 ? waitAsked(status, headers, now) : undefined;
  const used = usedUp(headers, now);
  const wait = Math.max(asked ?? 0, used ?? 0);
  return wait > 0 ? Math.min(wait, longestMs) : undefined;
}

/** How long to wait before this call is tried again: Retry-After, or on 429 the reset of the window. */
export function waitAsked(status: number, headers: Headers, now: number): number | undefined {
  const after = retryAfterMs(headers.get('retry-after'), now);
  if (after !== undefined || status !== 429) return after;
  for (const [, reset] of pairs) {
    const wait = untilReset(headers.get(reset), now);
    if (wait !== undefined) return wait;
  }
  return intervalOf(headers);
}

function usedUp(headers: Headers, now: number): number | undefined {
  for (const [left, reset] of pairs) {
    if (isNone(headers.get(left))) return untilReset(headers.get(reset), now);
  }
  // HubSpot tells the length of its window, not its end. https://developers.hubspot.com/docs/api/usage-details
  return isNone(headers.get('x-hubspot-ratelimit-remaining')) ? intervalOf(headers) : undefined;
}

function intervalOf(headers: Headers): number | undefined {
  const value = headers.get('x-hubspot-ratelimit-interval-milliseconds')?.trim() ?? '';
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

function isNone(value: string | null): boolean {
  return value !== null && /^\s*(0|-\d+)(\.0+)?\s*$/.test(value);
}

/** Seconds to go, a time in seconds or milliseconds since 1970, an HTTP or an ISO date; 0 for a time that has passed. */
function untilReset(value: string | null, now: number): number | undefined {
  const text = value?.trim() ?? '';
  let wait = Number.NaN;
  if (/^\d{1,15}(\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number < firstTime) wait = number * 1000;
    else wait = (number < firstMillis ? number * 1000 : number) - now;
  } else if (/^(\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)|[A-Z][a-z]{2}, .+ GMT)$/.test(text)) {
    wait = Date.parse(text) - now;
  }
  return Number.isFinite(wait) ? Math.min(Math.max(Math.ceil(wait), 0), longestMs) : undefined;
}
