// What providers of Zoho have in common: the consent, the data centre that keeps the account, and Zoho's refusals
// in our words. Both addresses are told by others; only those that Zoho is known to have are believed.
// https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
import { z } from 'zod';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { OAuth2 } from './auth.ts';
import type { LearnedField, Limit } from './define.ts';
import type { Answer, Http, Refusal } from './http.ts';

/** What follows `accounts.` and `www.`: of each data centre, the sign-in and the API. */
const dataCentres: Readonly<Record<string, string>> = {
  'accounts.zoho.com': 'www.zohoapis.com',
  'accounts.zoho.eu': 'www.zohoapis.eu',
  'accounts.zoho.in': 'www.zohoapis.in',
  'accounts.zoho.com.au': 'www.zohoapis.com.au',
  'accounts.zoho.jp': 'www.zohoapis.jp',
  'accounts.zoho.com.cn': 'www.zohoapis.com.cn',
  'accounts.zoho.sa': 'www.zohoapis.sa',
  'accounts.zoho.uk': 'www.zohoapis.uk',
  'accounts.zohocloud.ca': 'www.zohoapis.ca',
};
const first = 'accounts.zoho.com';

function unknown(what: string): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    `Zoho’s sign-in came back with ${what} that Zoho is not known to have: nothing was connected.`,
  );
}

/** The host of an https address that is nothing but a host. */
function hostIn(told: string): string | undefined {
  const url = URL.parse(told);
  const bare = url !== null && url.protocol === 'https:' && `${url.origin}/` === url.href;
  return bare ? url.host : undefined;
}

/** Where the account is kept: the app's secret goes there, and later its calls. */
export const zohoLearned = {
  accounts: {
    from: 'callback',
    as: 'accounts-server',
    description: 'Sign-in of the data centre that keeps the account',
    // Who forges the way back would have the secret of the app sent to a server of his own.
    read(told) {
      const host = told === undefined ? first : hostIn(told);
      if (host !== undefined && Object.hasOwn(dataCentres, host)) return host;
      throw unknown('a sign-in');
    },
  },
  api: {
    from: 'token',
    as: 'api_domain',
    description: 'API of that data centre',
    read(told) {
      const host = told === undefined ? undefined : hostIn(told);
      if (host !== undefined && Object.values(dataCentres).includes(host)) return host;
      throw unknown('an API');
    },
  },
} as const satisfies Record<string, LearnedField>;

/**
 * The consent of one product. https://www.zoho.com/accounts/protocol/oauth/web-server-applications.html
 * @param product as the registration steps call it
 * @param scopes `ZohoCRM.modules.READ`, asked of everyone
 */
export function zohoAuth(product: string, scopes: readonly string[]) {
  return {
    kind: 'oauth2',
    app: 'zoho',
    // People of every data centre begin here; the way back names their own.
    authorizeUrl: `https://${first}/oauth/v2/auth`,
    tokenUrl: 'https://{accounts}/oauth/v2/token',
    revocation: { url: 'https://{accounts}/oauth/v2/token/revoke', token: 'refresh', body: 'form' },
    // Zoho documents no PKCE for apps with a secret.
    pkce: 'not-supported',
    clientAuthentication: 'body',
    scopeSeparator: ',',
    scopes,
    // Without both of them Zoho gives a refresh token at the first consent alone.
    authorizeParameters: { access_type: 'offline', prompt: 'consent' },
    accessToken: { readFrom: 'answer' },
    // It does not end; of more than twenty of a person the oldest dies.
    refreshToken: { rotation: 'never', lifetime: 'endless' },
    registration: [
      'Open api-console.zoho.com → Add client → Server-based Applications.',
      'Authorized Redirect URIs: {redirectUrl}',
      'Settings of the client → enable every data centre whose people shall connect, with the same credentials.',
      `Copy the client ID and the client secret. ${product} must be open to the person who connects.`,
    ],
  } as const satisfies OAuth2;
}

export const zohoNotes: readonly string[] = [
  'Zoho gives at most 10 access tokens in 10 minutes, and keeps 20 refresh tokens of a person: connecting a 21st time ends the oldest.',
  'Known, and not verified on a live account: client authentication in the body, the revocation endpoint, that a Bearer is taken beside Zoho’s own "Zoho-oauthtoken", and the list of data centres.',
];

/** How an API below a data centre's domain is reached: `/crm/v8`. */
export function zohoHttp<const Path extends `/${string}`>(path: Path) {
  return { baseUrl: `https://{api}${path}`, refusal } satisfies Http as {
    baseUrl: `https://{api}${Path}`;
    refusal: typeof refusal;
  };
}

/** Thirty a minute are known of one product, which then locks out: the least of them all. */
export const zohoLimit: Limit = {
  perSecond: 1,
  burst: 10,
  concurrent: 4,
  windows: [{ calls: 28, ms: 60_000 }],
};

const codes: Record<string, ErrorCode> = {
  INVALID_TOKEN: 'auth_expired',
  INVALID_OAUTHTOKEN: 'auth_expired',
  AUTHENTICATION_FAILURE: 'auth_expired',
  OAUTH_SCOPE_MISMATCH: 'permission_denied',
  INVALID_OAUTHSCOPE: 'permission_denied',
  NO_PERMISSION: 'permission_denied',
  TOO_MANY_REQUESTS: 'rate_limited',
  API_LIMIT_EXCEEDED: 'quota_exhausted',
  LIMIT_EXCEEDED: 'quota_exhausted',
  DUPLICATE_DATA: 'conflict',
  RECORD_LOCKED: 'conflict',
  RECORD_NOT_FOUND: 'not_found',
  INTERNAL_ERROR: 'provider_unavailable',
  INVALID_DATA: 'invalid_request',
  MANDATORY_NOT_FOUND: 'invalid_request',
};

/** CRM: `{code, message, status: 'error'}`; Mail: `{status: {code, description}, data: {errorCode}}`. */
const errorBody = z.object({
  code: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  status: z
    .union([z.string(), z.object({ description: z.string().optional() })])
    .optional()
    .catch(undefined),
  data: z.object({ errorCode: z.string().optional() }).optional().catch(undefined),
});

function refusal({ status, body }: Answer): Refusal | undefined {
  const told = errorBody.safeParse(body).data;
  // Some refusals come with status 200, and say so themselves.
  if (status < 400 && told?.status !== 'error') return undefined;
  const name = told?.code ?? told?.data?.errorCode ?? '';
  const message = told?.message ?? (typeof told?.status === 'object' ? told.status.description : undefined);
  const words = message === undefined ? {} : { message };
  const known = Object.hasOwn(codes, name) ? codes[name] : undefined;
  if (known === 'permission_denied' && /SCOPE/.test(name)) {
    return {
      code: known,
      retry: 'reconnect',
      advice: 'Zoho has not granted this account what the call needs: connect it again and agree to it.',
      ...words,
    };
  }
  // 429 always means the rate, and what fails on Zoho's side is no fault of the request.
  if (known !== undefined && status !== 429 && status < 500) return { code: known, ...words };
  return status < 400 ? { code: 'invalid_request', ...words } : undefined;
}
