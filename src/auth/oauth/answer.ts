// What a token endpoint said, read with the patience that real ones need: answers without a token type,
// nulls, lists of scopes with commas, refusals with status 200.
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2, TokenAnswer } from '../../providers/auth.ts';
import { Secret } from '../../secret.ts';
import { type Asking, refusal } from './refusal.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * The answer as `oauth4webapi` takes it.
 * @throws DrawbridgeError for whatever is a refusal, and `malformed_response` for what is no JSON object
 */
export async function readAnswer(
  response: Response,
  about: { asking: Asking; host: string; clock: Clock; tokenIn?: (answer: Members) => Members | undefined },
): Promise<Response> {
  const text = await response.text();
  const body = membersOf(text);
  const ok = response.status >= 200 && response.status < 300;
  // Slack answers a refusal with status 200 (https://api.slack.com/web#responses).
  const inBody = typeof body?.['error'] === 'string' && body['access_token'] === undefined;
  if (!ok || inBody) {
    // HubSpot names the reason in `status`, or says there only that it is an error, and names it in `category`.
    const named = [body?.['error'], body?.['status'], body?.['category']].filter(isText);
    throw refusal(response, named.find((one) => one !== 'error') ?? named[0], about);
  }
  if (about.asking === 'revoke') return new Response(null, { status: 200 });
  if (body === undefined) {
    throw new DrawbridgeError('malformed_response', `${about.host} answered with something other than JSON.`);
  }
  const part = about.tokenIn === undefined ? body : (about.tokenIn(body) ?? {});
  const { refresh_token: refresh, expires_in: lives, scope, token_type: type, ...rest } = part;
  return Response.json({
    ...rest,
    // An ID token would be checked against keys that nobody fetched: whose account it is, the API says.
    id_token: undefined,
    // Shopify sends none; Slack sends `bot`. What we do with the token is what `http` declares.
    token_type: 'bearer',
    provider_token_type: type,
    ...(typeof refresh === 'string' && refresh !== '' ? { refresh_token: refresh } : {}),
    ...(typeof lives === 'number' || typeof lives === 'string' ? { expires_in: Number(lives) } : {}),
    ...(typeof scope === 'string'
      ? { scope }
      : Array.isArray(scope)
        ? { scope: scope.filter((one) => typeof one === 'string').join(' ') }
        : {}),
  });
}

/** @throws DrawbridgeError `malformed_response` without an access token */
export function tokenAnswer(auth: OAuth2, body: Members): TokenAnswer {
  const access = body['access_token'];
  if (typeof access !== 'string' || access === '') {
    throw new DrawbridgeError('malformed_response', 'The token endpoint answered without an access token.');
  }
  const refresh = body['refresh_token'];
  // HubSpot gives a list, under a name of its own.
  const scope = body['scope'] ?? (Array.isArray(body['scopes']) ? body['scopes'].join(' ') : undefined);
  const implied = (one: string) => (auth.implied === undefined ? one : [one, auth.implied(one)]);
  const refreshLives = body[auth.answerNames?.refreshExpiresIn ?? 'refresh_token_expires_in'];
  return {
    accessToken: new Secret(access),
    refreshToken: typeof refresh === 'string' ? new Secret(refresh) : undefined,
    accessLivesMs: millis(body['expires_in']),
    refreshLivesMs: millis(refreshLives),
    scopes:
      typeof scope === 'string' && scope.trim() !== ''
        ? [
            ...new Set(
              scope
                .split(/[\s,]+/)
                .filter((one) => one !== '')
                .flatMap(implied),
            ),
          ]
        : undefined,
    rest: withoutSecrets(body),
  };
}

/** Seconds in an answer. Zero (Mailchimp: "has no end") says nothing. */
function millis(seconds: unknown): number | undefined {
  const number = typeof seconds === 'string' ? Number(seconds) : seconds;
  return typeof number === 'number' && Number.isFinite(number) && number > 0
    ? Math.floor(number * 1000)
    : undefined;
}

const standard = new Set(['expires_in', 'scope', 'scopes', 'token_type', 'provider_token_type']);

function withoutSecrets(body: Members): Members {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([name]) => !standard.has(name) && !/token|secret|password/i.test(name))
      .map(([name, value]) => [
        name,
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? withoutSecrets(value as Members)
          : value,
      ]),
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function membersOf(text: string): Members | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Members) : undefined;
  } catch {
    return undefined;
  }
}
