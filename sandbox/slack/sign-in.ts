// Slack's consent and tokens: scopes of a person and of the app apart, each token where Slack has it, refusals with
// status 200.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { json, refused } from './answers.ts';

export type Kind = 'user' | 'bot';

export interface SignIn {
  authorization: AuthorizationServer;
  /** Undefined where the call is none of its own. */
  handle(call: Call): Answer | undefined;
  /** What a bearer may do, and as whom; else Slack's word for why not. */
  bearer(header: string | undefined): { kind: Kind; scopes: readonly string[] } | { error: string };
}

interface Options {
  clock: Clock;
  app: { clientId: string; clientSecret: string };
  /** Whether the app rotates its tokens. */
  rotates: boolean;
  team: { id: string; name: string };
  userId: string;
  botUserId: string;
}

export function createSignIn({ clock, app, rotates, team, userId, botUserId }: Options): SignIn {
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/oauth/v2/authorize',
      tokenPath: '/api/oauth.v2.access',
      revokePath: '/api/auth.revoke',
      app,
      pkce: 'optional',
      clientAuthentication: 'body',
      accessLivesS: rotates ? 43_200 : 10 * 365 * 86_400,
      rotation: 'always',
    },
    clock,
  );
  /** Of codes, access and refresh tokens. */
  const kinds = new Map<string, Kind>();

  function authorize(call: Call): Answer | undefined {
    const query = new URLSearchParams(call.query);
    const own = query.get('scope') ?? '';
    const kind: Kind = own === '' ? 'user' : 'bot';
    query.set('scope', kind === 'user' ? (query.get('user_scope') ?? '') : own);
    const answer = authorization.handle({ ...call, query });
    const code = URL.parse(answer?.headers?.['location'] ?? '')?.searchParams.get('code');
    if (code != null) kinds.set(code, kind);
    return answer;
  }

  function token(call: Call): Answer | undefined {
    const form = new URLSearchParams(call.body);
    const kind = kinds.get(form.get('code') ?? form.get('refresh_token') ?? '') ?? 'user';
    const answer = authorization.handle(call);
    const told = JSON.parse(answer?.body ?? '{}') as Record<string, string | number>;
    if (typeof told['error'] === 'string') return refused(reasons[told['error']] ?? told['error']);
    const { access_token, refresh_token, expires_in } = told;
    for (const one of [access_token, refresh_token]) kinds.set(String(one), kind);
    const scope = String(told['scope'] ?? '').replaceAll(' ', ',');
    const ages = rotates ? { refresh_token, expires_in } : {};
    const made = { access_token, token_type: kind, scope, ...ages };
    const about = { ok: true, app_id: 'A0SANDBOX', team, enterprise: null, is_enterprise_install: false };
    if (form.get('grant_type') === 'refresh_token' || kind === 'bot') {
      const bot = kind === 'bot' ? { bot_user_id: botUserId } : {};
      return json({ ...about, ...made, ...bot, authed_user: { id: userId } });
    }
    return json({ ...about, authed_user: { id: userId, ...made } });
  }

  return {
    authorization,
    handle(call) {
      if (call.host !== 'slack.com') return undefined;
      if (call.path === '/oauth/v2/authorize') return authorize(call);
      if (call.path === '/api/oauth.v2.access') return token(call);
      if (call.path !== '/api/auth.revoke') return undefined;
      const value = /^Bearer (.+)$/.exec(call.headers['authorization'] ?? '')?.[1] ?? '';
      if (authorization.scopesOf(call.headers['authorization']) === undefined) return refused('invalid_auth');
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      authorization.handle({
        ...call,
        headers: form,
        body: new URLSearchParams({ token: value }).toString(),
      });
      return json({ ok: true, revoked: true });
    },
    bearer(header) {
      const value = /^Bearer (.+)$/.exec(header ?? '')?.[1];
      if (value === undefined) return { error: 'not_authed' };
      const scopes = authorization.scopesOf(header);
      const kind = kinds.get(value);
      if (kind === undefined) return { error: 'invalid_auth' };
      return scopes === undefined ? { error: rotates ? 'token_expired' : 'token_revoked' } : { kind, scopes };
    },
  };
}

/** How Slack names what RFC 6749 5.2 calls otherwise. */
const reasons: Record<string, string> = {
  invalid_client: 'bad_client_secret',
  invalid_grant: 'invalid_refresh_token',
};
