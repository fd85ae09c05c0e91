// The consent of Slack, and whose token comes of it: a person's stands under `authed_user`, the app's own at the top.
// https://docs.slack.dev/authentication/installing-with-oauth
import type { OAuth2 } from '../auth.ts';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The part of an answer with the token of the kind that was asked for, and never of the other kind. Renewed tokens
 * of both kinds stand at the top, where `token_type` says which it is.
 */
export function tokenIn(answer: Members, { as }: Members): Members | undefined {
  const { authed_user: person } = answer;
  const wanted = as === 'bot' ? 'bot' : 'user';
  const own = isMembers(person) ? person : undefined;
  if (wanted === 'user' && typeof own?.['access_token'] === 'string') return own;
  return answer['token_type'] === wanted ? answer : undefined;
}

export const auth = {
  kind: 'oauth2',
  app: 'slack',
  authorizeUrl: 'https://slack.com/oauth/v2/authorize',
  tokenUrl: 'https://slack.com/api/oauth.v2.access',
  revocation: { url: 'https://slack.com/api/auth.revoke', token: 'access', body: 'none' },
  // The token method takes a verifier; an app that is switched over to PKCE is another kind, without a secret.
  pkce: 'not-supported',
  clientAuthentication: 'body',
  scopeSeparator: ',',
  scopes: [],
  rename: { scope: '{scopes}' },
  tokenIn,
  // Twelve hours where the app rotates its tokens; else it says nothing, and they do not end.
  accessToken: { readFrom: 'answer' },
  refreshToken: { rotation: 'always', lifetime: 'endless' },
  registration: [
    'Open https://api.slack.com/apps → Create New App → From scratch, in the workspace that is to be connected. An app of your own workspace is an internal one: keep the setting “app” at “internal”.',
    'OAuth & Permissions → Redirect URLs: add {redirectUrl}, exactly so. Slack takes https addresses, and http://localhost while it is not distributed (known, not verified).',
    'Scopes: to read and write as the person who connects, under User Token Scopes; to do it as the app itself, under Bot Token Scopes.',
    'To read: channels:read groups:read im:read mpim:read channels:history groups:history im:history mpim:history users:read users:read.email files:read. To write: chat:write.',
    'Optional: OAuth & Permissions → Opt in to token rotation. It cannot be switched off again; tokens then end after 12 hours and are renewed by themselves.',
    'Basic Information → App Credentials: copy Client ID and Client Secret; the Signing Secret is for webhooks.',
    'As the app itself (“as” is “bot”): invite it into each channel that it is to read, /invite @app.',
  ],
} as const satisfies OAuth2;
