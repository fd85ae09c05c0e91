// The consent of QuickBooks, with its tokens by Intuit's official client inside the door: one call each, and
// none again by itself.
import { z } from 'zod';
import { DrawbridgeError, type ErrorCode } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { OAuth2, OfficialTokenClient, TokenAnswer, TokenCall } from '../auth.ts';

const host = 'oauth.platform.intuit.com';
/** Rolling: a refresh brings 100 days anew, up to five years after the consent. */
const refreshLivesS = 100 * 86_400;

const official: OfficialTokenClient = {
  exchange: ({ callback, redirectUri, ...call }) =>
    asking('exchange', call, redirectUri, (client) =>
      // Nothing of the way back but its code: the client would take a redirect URI from there, too.
      client.createToken(`?${new URLSearchParams({ code: callback.searchParams.get('code') ?? '' })}`),
    ).then(answerOf),
  refresh: ({ refreshToken, ...call }) =>
    asking('refresh', call, '', (client) => client.refreshUsingToken(refreshToken.reveal())).then(answerOf),
  revoke: async ({ token, ...call }) => {
    await asking('revoke', call, '', (client) => client.revoke({ refresh_token: token.reveal() }));
  },
};

/** https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0 */
export const auth = {
  kind: 'oauth2',
  app: 'quickbooks',
  authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
  tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  revocation: {
    url: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    token: 'refresh',
    body: 'json',
  },
  // Intuit's official client knows none.
  pkce: 'not-supported',
  clientAuthentication: 'basic',
  scopes: ['com.intuit.quickbooks.accounting'],
  accessToken: { readFrom: 'answer' },
  // Its value changes about once a day: every answer's is stored.
  refreshToken: { rotation: 'sometimes', lifetime: { seconds: refreshLivesS } },
  tokenHeaders: { 'x-include-refresh-token-hard-expires-in': 'true' },
  answerNames: { refreshExpiresIn: 'x_refresh_token_expires_in' },
  official,
  registration: [
    'Sign in at https://developer.intuit.com and open My Hub, App dashboard.',
    'Create an app for QuickBooks Online with the scope Accounting (com.intuit.quickbooks.accounting).',
    'Settings, Redirect URIs: add {redirectUrl}, exactly so. Development takes http://localhost; Production takes https addresses alone.',
    'Keys and credentials: copy Client ID and Client Secret. Those of Development work with sandbox companies alone; those of Production are given after the questionnaire on the app is filled in.',
  ],
} as const satisfies OAuth2;

type Client = InstanceType<typeof import('intuit-oauth')>;
type Asking = 'exchange' | 'refresh' | 'revoke';

/** @throws DrawbridgeError what came of the one call, where it was no success */
async function asking(
  what: Asking,
  { app, fields, within }: TokenCall,
  redirectUri: string,
  work: (client: Client) => Promise<{ json: unknown }>,
): Promise<unknown> {
  return within(async () => {
    const { default: OAuthClient } = await import('intuit-oauth');
    // Its own names the system that it runs on.
    OAuthClient.user_agent = 'Drawbridge';
    const client = new OAuthClient({
      environment: fields['environment'] === 'sandbox' ? 'sandbox' : 'production',
      clientId: app.clientId,
      clientSecret: app.clientSecret?.reveal() ?? '',
      redirectUri,
      includeRefreshTokenHardExpiresIn: true,
    });
    let failure: unknown;
    // Asked after every failed attempt; what it is told is lost in the client's own error.
    client.shouldRetry = (error: unknown) => {
      failure = error;
      return false;
    };
    try {
      return (await work(client)).json;
    } catch (thrown) {
      // Neither error goes further: they carry the whole request.
      throw inOurWords(what, failure ?? thrown);
    }
  });
}

const seconds = z.coerce.number().positive().optional().catch(undefined);
const tokenBody = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional().catch(undefined),
  expires_in: seconds,
  x_refresh_token_expires_in: seconds,
  x_refresh_token_hard_expires_in: seconds,
});

/** @throws DrawbridgeError `malformed_response` */
function answerOf(json: unknown): TokenAnswer {
  const { data } = tokenBody.safeParse(json);
  if (data === undefined) {
    throw new DrawbridgeError('malformed_response', 'The token endpoint answered without an access token.');
  }
  const ends = [data.x_refresh_token_expires_in, data.x_refresh_token_hard_expires_in].filter(
    (end) => end !== undefined,
  );
  return {
    accessToken: new Secret(data.access_token),
    refreshToken: data.refresh_token === undefined ? undefined : new Secret(data.refresh_token),
    accessLivesMs: data.expires_in === undefined ? undefined : data.expires_in * 1000,
    // Whichever end comes first.
    refreshLivesMs: ends.length === 0 ? undefined : Math.min(...ends) * 1000,
    scopes: undefined,
    rest: {},
  };
}

/** An answer as axios has it in its error. */
const failed = z.object({
  response: z.object({
    status: z.number(),
    headers: z.unknown(),
    data: z
      .preprocess(parsed, z.object({ error: z.string().regex(/^[\w.-]{1,60}$/) }))
      .optional()
      .catch(undefined),
  }),
});

function parsed(data: unknown): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** The end of the grant, the refusal of the app and a passing fault, told apart as for every other provider. */
function inOurWords(what: Asking, thrown: unknown): DrawbridgeError {
  if (thrown instanceof DrawbridgeError) return thrown;
  const response = failed.safeParse(thrown).data?.response;
  if (response === undefined) {
    return new DrawbridgeError('malformed_response', `${host} answered with something unexpected.`);
  }
  const { status, data } = response;
  const reason = data?.error ?? `status ${status}`;
  if (reason === 'invalid_grant' || reason === 'invalid_token') {
    return what === 'exchange'
      ? new DrawbridgeError('auth_expired', 'The code is spent or too old. Begin again.')
      : new DrawbridgeError('auth_revoked', `${host} says that the access was ended (${reason}).`);
  }
  const refused: ErrorCode = what === 'exchange' ? 'invalid_request' : 'permission_denied';
  if (reason === 'invalid_client' || reason === 'unauthorized_client' || status === 401) {
    return new DrawbridgeError(
      refused,
      `${host} refuses the registered app (${reason}): check its client id and secret.`,
    );
  }
  if (status === 429)
    return new DrawbridgeError('rate_limited', `${host} gets too many requests for tokens.`);
  if (status >= 500) return new DrawbridgeError('provider_unavailable', `${host} is in trouble (${reason}).`);
  return new DrawbridgeError(refused, `${host} refused the request (${reason}).`);
}
