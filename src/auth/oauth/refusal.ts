// A refusal of a token endpoint, in our words. The end of the grant, the refusal of the app and a passing
// fault are told apart: only the first one asks a person to connect again.
import type { Clock } from '../../clock.ts';
import { retryAfterMs } from '../../egress/retry.ts';
import { DrawbridgeError } from '../../errors.ts';

/** What was asked: a spent code and a spent refresh token are mended differently. */
export type Asking = 'exchange' | 'refresh' | 'revoke';

/** RFC 6749 5.2, and what GitHub, HubSpot, Slack and Zoho say instead. Lower case. */
const grantEnded = new Set([
  'invalid_grant',
  'invalid_token',
  'bad_refresh_token',
  'invalid_refresh_token',
  'token_revoked',
  'token_expired',
  'bad_auth_code',
  'bad_verification_code',
  'invalid_code',
]);

const appRefused = new Set([
  'invalid_client',
  'unauthorized_client',
  'deleted_client',
  'disabled_client',
  'bad_client_id',
  'bad_client_secret',
  'invalid_client_id',
  'incorrect_client_credentials',
]);

/** `reason`: the answer's `error`; undefined where it has none. */
export function refusal(
  response: Pick<Response, 'status' | 'headers'>,
  reason: string | undefined,
  { asking, host, clock }: { asking: Asking; host: string; clock: Clock },
): DrawbridgeError {
  const { status } = response;
  const named = reason === undefined || !/^[\w.-]{1,60}$/.test(reason) ? `status ${status}` : reason;
  const word = reason?.toLowerCase() ?? '';
  if (grantEnded.has(word)) {
    return asking === 'exchange'
      ? new DrawbridgeError('auth_expired', 'The code is spent or too old. Begin again.')
      : new DrawbridgeError('auth_revoked', `${host} says that the access was ended (${named}).`);
  }
  if (appRefused.has(word) || status === 401) {
    return new DrawbridgeError(
      // The account is as good as before: once the app is mended, it goes on without its person.
      asking === 'exchange' ? 'invalid_request' : 'permission_denied',
      `${host} refuses the registered app (${named}): check its client id and secret.`,
    );
  }
  const wait = retryAfterMs(response.headers.get('retry-after'), clock.now());
  const later = wait === undefined ? {} : { retryAfterMs: wait };
  if (status === 429) {
    return new DrawbridgeError('rate_limited', `${host} gets too many requests for tokens.`, later);
  }
  if (status >= 500 || word === 'server_error' || word === 'temporarily_unavailable') {
    return new DrawbridgeError('provider_unavailable', `${host} is in trouble (${named}).`, later);
  }
  return new DrawbridgeError(
    asking === 'exchange' ? 'invalid_request' : 'permission_denied',
    `${host} refused the request (${named}).`,
  );
}
