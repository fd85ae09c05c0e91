// When a call may be repeated, and after how long: only what is harmless to repeat, a few times, spread
// by full jitter, and never sooner than the provider asked.
import { DrawbridgeError } from '../errors.ts';
import { longestWaitMs } from './gate.ts';

export const mostRetries = 3;
const firstDelayMs = 500;
const longestDelayMs = 8_000;
const longestReportedMs = 24 * 3_600_000;
const retriedStatuses = new Set([429, 502, 503, 504]);

export function isRetriedStatus(status: number): boolean {
  return retriedStatuses.has(status);
}

/** Trouble on the way that may be gone on the next try; a certificate that does not hold will not. */
export function isRetriedError(error: DrawbridgeError): boolean {
  return (error.code === 'network' || error.code === 'timeout') && error.retry === 'later';
}

/** Full jitter: anything up to a doubling bound (AWS Architecture Blog, "Exponential Backoff and Jitter"). */
export function jitter(retry: number, random: () => number): number {
  return Math.floor(random() * Math.min(longestDelayMs, firstDelayMs * 2 ** retry));
}

/**
 * A Retry-After value (RFC 9110, 10.2.3: seconds, or an HTTP date) as milliseconds from `now`; 0 for a
 * date that has passed, undefined for what is neither.
 */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
  if (Number.isNaN(wait)) return undefined;
  return Math.min(Math.max(wait, 0), longestReportedMs);
}

function httpDate(text: string): number {
  // Date.parse takes almost anything; an HTTP date begins with the day's name and ends in GMT.
  return /^[A-Z][a-z]{2,8}, .+ GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** @throws DrawbridgeError when the provider asks for more patience than a call has. */
export function refuseLongWait(host: string, status: number, waitMs: number, leftMs: number): void {
  if (waitMs <= Math.min(longestWaitMs, leftMs)) return;
  throw new DrawbridgeError(
    status === 429 ? 'rate_limited' : 'provider_unavailable',
    `${host} asks to wait ${Math.ceil(waitMs / 1000)} s before the next call.`,
    { retryAfterMs: waitMs },
  );
}
