// What providers on Microsoft Graph have in common: the consent, the address, and Graph's refusals in our words.
// https://learn.microsoft.com/en-us/graph/
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { OAuth2 } from './auth.ts';
import type { Answer, Http, Refusal } from './http.ts';

/** Settings of every account at Microsoft. */
export const microsoftFields = {
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,100}[A-Za-z0-9])?$/, 'must be a directory id or a domain')
    .default('common')
    .describe('Directory that may sign in: "common" for all, "organizations", or the id or domain of one'),
};

/**
 * The consent of one product. https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
 * @param scopes of Graph, asked of everyone
 */
export function microsoftAuth(scopes: readonly string[]) {
  return {
    kind: 'oauth2',
    app: 'microsoft',
    authorizeUrl: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    // There is no way to revoke; nor is an issuer declared: with "common" it is another one for each directory.
    pkce: 'S256',
    clientAuthentication: 'body',
    // Without the first there is no refresh token.
    scopes: ['offline_access', 'User.Read', ...scopes],
    authorizeParameters: { response_mode: 'query', prompt: 'select_account' },
    accessToken: { readFrom: 'answer' },
    // A new one each time, good for 90 days from then; the old one is not revoked.
    refreshToken: { rotation: 'sometimes', lifetime: { seconds: 90 * 86_400 } },
    registration: [
      'Open entra.microsoft.com → Applications → App registrations → New registration.',
      'Supported account types: "Accounts in any organizational directory and personal Microsoft accounts", or your own directory alone (then enter its id as the tenant).',
      'Redirect URI: platform "Web", and exactly {redirectUrl}',
      'API permissions → Microsoft Graph → Delegated permissions: offline_access, User.Read, Mail.Read, Mail.Send, Mail.ReadWrite, Calendars.Read, Calendars.ReadWrite. Some directories want their administrator to agree.',
      'Certificates & secrets → New client secret: copy its value (it is shown once) and the application (client) id of the overview.',
    ],
  } as const satisfies OAuth2;
}

export const microsoftNotes: readonly string[] = [
  'Known, and not verified on a live account: PKCE, client authentication in the body, that a refresh token lives 90 days from its last use, and that there is no way to revoke: disconnecting forgets the tokens, and a person removes the app at https://myapps.microsoft.com.',
  'Personal accounts (outlook.com) and those of a directory are one provider; a directory may want its administrator’s consent.',
  'The clouds of governments and of China have other addresses, and are not reached.',
];

/** Ids that stay when a thing moves. https://learn.microsoft.com/en-us/graph/outlook-immutable-id */
export const steadyIds = 'IdType="ImmutableId"';

export const microsoftHttp = {
  baseUrl: 'https://graph.microsoft.com/v1.0',
  headers: { prefer: steadyIds },
  paging: { kind: 'odata' },
  refusal,
} as const satisfies Http;

/** https://learn.microsoft.com/en-us/graph/errors; names of Exchange's own, where the status does not tell. */
const codes: Record<string, ErrorCode> = {
  InvalidAuthenticationToken: 'auth_expired',
  ErrorAccessDenied: 'permission_denied',
  ErrorSendAsDenied: 'permission_denied',
  MailboxNotEnabledForRESTAPI: 'permission_denied',
  ErrorQuotaExceeded: 'quota_exhausted',
  ErrorMessageSizeExceeded: 'invalid_request',
  ErrorExceededMessageLimit: 'quota_exhausted',
  ApplicationThrottled: 'rate_limited',
  TooManyRequests: 'rate_limited',
  ErrorIrresolvableConflict: 'conflict',
  ErrorItemNotFound: 'not_found',
};

const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string().optional().catch(undefined) }),
});

const noMailbox = 'This account has no mailbox at Microsoft 365, or its mail is kept elsewhere.';

/** `{error: {code, message, innerError}}` */
function refusal({ status, body }: Answer): Refusal | undefined {
  if (status < 400) return undefined;
  const { code = '', message } = errorBody.safeParse(body).data?.error ?? {};
  const words = message === undefined ? {} : { message };
  // 429 always means the rate, and 410 a point that is too old, whatever it is called.
  const known = status === 429 || status === 410 || status >= 500 ? undefined : codes[code];
  const usual = usualCode(status);
  if (code === 'MailboxNotEnabledForRESTAPI') {
    return { code: 'permission_denied', advice: noMailbox, ...words };
  }
  return known === undefined && usual === undefined
    ? undefined
    : { code: known ?? usual ?? 'invalid_request', ...words };
}

function usualCode(status: number): ErrorCode | undefined {
  // 507: a mailbox that is full; 509: bandwidth.
  const usual: Record<number, ErrorCode> = { 507: 'quota_exhausted', 509: 'rate_limited' };
  return usual[status] ?? simple[status] ?? (status >= 500 ? 'provider_unavailable' : undefined);
}

const simple: Record<number, ErrorCode> = {
  400: 'invalid_request',
  401: 'auth_expired',
  403: 'permission_denied',
  404: 'not_found',
  409: 'conflict',
  410: 'not_found',
  412: 'conflict',
  423: 'conflict',
  429: 'rate_limited',
};
