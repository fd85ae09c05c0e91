// The one error of the house. Its message is for people: what happened, and how to mend it. It never
// carries a secret, a stack, or a hint of another org: a server that repeats our password in its refusal
// is quoted without it.
import { scrub } from './secret.ts';

/** What went wrong, in the field's standard words. */
export type ErrorCode =
  | 'auth_expired'
  | 'auth_revoked'
  | 'permission_denied'
  | 'rate_limited'
  | 'quota_exhausted'
  | 'not_found'
  | 'invalid_request'
  | 'conflict'
  | 'provider_unavailable'
  | 'timeout'
  | 'network'
  | 'malformed_response'
  | 'internal';

/**
 * Whether trying again is worth it: `never` (the same call will fail the same way), `later` (after
 * `retryAfterMs` where known), `reconnect` (a person must authorise the account again), `ask` (a person
 * must decide or supply something).
 */
export type Retry = 'never' | 'later' | 'reconnect' | 'ask';

const defaultRetry: Record<ErrorCode, Retry> = {
  auth_expired: 'reconnect',
  auth_revoked: 'reconnect',
  permission_denied: 'never',
  rate_limited: 'later',
  quota_exhausted: 'later',
  not_found: 'never',
  invalid_request: 'never',
  conflict: 'never',
  provider_unavailable: 'later',
  timeout: 'later',
  network: 'later',
  malformed_response: 'never',
  internal: 'never',
};

export interface ErrorOptions {
  retry?: Retry;
  /** Milliseconds until another try is worth making. */
  retryAfterMs?: number;
  /** The input field at fault, as the caller wrote it (`attendees.0.email`). */
  field?: string;
  cause?: unknown;
}

export class DrawbridgeError extends Error {
  override readonly name = 'DrawbridgeError';
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly retryAfterMs: number | undefined;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(scrub(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? defaultRetry[code];
    this.retryAfterMs = options.retryAfterMs;
    this.field = options.field;
  }
}

/**
 * Any thrown value as a DrawbridgeError. What is not one already becomes `internal`, with the original
 * kept as `cause` for the log and out of the message.
 */
export function toDrawbridgeError(thrown: unknown): DrawbridgeError {
  if (thrown instanceof DrawbridgeError) return thrown;
  return new DrawbridgeError('internal', 'Something went wrong inside Drawbridge; the log has the details.', {
    cause: thrown,
  });
}

/** What an HTTP status means where nothing more is known. */
const statuses: Record<number, ErrorCode> = {
  400: 'invalid_request',
  401: 'auth_expired',
  402: 'quota_exhausted',
  403: 'permission_denied',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'not_found',
  412: 'conflict',
  422: 'invalid_request',
  423: 'conflict',
  429: 'rate_limited',
};

/** The code of a status that is a refusal or a failure. */
export function codeOfStatus(status: number): ErrorCode {
  return statuses[status] ?? (status >= 500 ? 'provider_unavailable' : 'invalid_request');
}
