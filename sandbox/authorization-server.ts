// An authorization server that holds its clients to the rules: exact redirects, PKCE, single-use codes,
// rotation with reuse detection. Its consent page has a button to allow and one to deny.
import { html } from 'hono/html';
import type { Clock } from '../src/clock.ts';
import type { AuthorizationOptions, AuthorizationServer } from './authorization.ts';
import { createGrants } from './authorization-grants.ts';
import type { Answer } from './http.ts';
import type { Call } from './providers.ts';

type Deed = Parameters<AuthorizationServer['next']>[0];

export function createAuthorizationServer(options: AuthorizationOptions, clock: Clock): AuthorizationServer {
  const { app } = options;
  const grants = createGrants(options, clock);
  const deeds: Deed[] = [];
  const calls: { grant: string; ok: boolean }[] = [];

  function authorize(call: Call): Answer {
    const asked = call.query;
    const redirect = asked.get('redirect_uri');
    const wrongClient = asked.get('client_id') !== app.clientId;
    if (wrongClient || redirect === null || !admitted(redirect, options.redirectUris)) {
      // Never sent back: whoever made up the address would get what was meant for the true client.
      return page(
        400,
        'This app is unknown here',
        `${wrongClient ? 'client_id' : 'redirect_uri'} is not registered.`,
      );
    }
    const back = new URL(redirect);
    const state = asked.get('state');
    if (state !== null) back.searchParams.set('state', state);
    if (options.issuer !== undefined) back.searchParams.set('iss', options.issuer);
    const fault = faultOf(asked, options.pkce);
    if (fault !== undefined) return refuse(back, 'invalid_request', fault);
    const wanted = scopesIn(asked.get('scope'));
    if (call.method !== 'POST') return consent(call.host, app.clientId, wanted);

    const pressed = new URLSearchParams(call.body);
    const deed = deeds.shift() ?? (pressed.get('decision') === 'allow' ? 'agree' : 'deny');
    if (deed === 'deny') return refuse(back, 'access_denied', 'the person said no');
    if (deed === 'wrong-issuer') back.searchParams.set('iss', 'https://another-issuer.example');
    if (deed === 'wrong-state') back.searchParams.set('state', 'of-somebody-else');
    const chosen = pressed.getAll('scope');
    back.searchParams.set(
      'code',
      grants.begin({
        scopes: wanted.filter((scope) => chosen.includes(scope)),
        redirectUri: redirect,
        challenge: asked.get('code_challenge') ?? undefined,
      }),
    );
    for (const [name, value] of Object.entries(options.callbackExtras ?? {})) {
      back.searchParams.set(name, value);
    }
    return { status: 303, headers: { location: back.href } };
  }

  function token(call: Call): Answer {
    if (call.method !== 'POST') return json(405, { error: 'invalid_request' });
    const given = bodyOf(call);
    const grant = given.get('grant_type') ?? '';
    const answered = (ok: boolean, status: number, body: unknown): Answer => {
      calls.push({ grant, ok });
      return json(status, body);
    };
    if (!isClient(call, given, options)) return answered(false, 401, { error: 'invalid_client' });
    const result =
      grant === 'authorization_code'
        ? grants.redeem(given.get('code') ?? '', {
            redirectUri: given.get('redirect_uri'),
            verifier: given.get('code_verifier'),
          })
        : grant === 'refresh_token'
          ? grants.refresh(given.get('refresh_token') ?? '')
          : undefined;
    if (result === undefined) return answered(false, 400, { error: 'unsupported_grant_type' });
    if ('error' in result) return answered(false, 400, result);
    return answered(true, 200, {
      access_token: result.access,
      token_type: 'Bearer',
      expires_in: options.accessLivesS,
      ...(result.refresh === undefined ? {} : { refresh_token: result.refresh }),
      scope: result.scopes.join(' '),
      ...options.answerExtras,
    });
  }

  function revoke(call: Call): Answer {
    // Some take it in the body (RFC 7009), Google in the query, too.
    grants.revoke(bodyOf(call).get('token') ?? call.query.get('token') ?? '');
    return { status: 200 };
  }

  return {
    handle(call) {
      if (call.path === options.authorizePath) return authorize(call);
      if (call.path === options.tokenPath) return token(call);
      if (options.revokePath !== undefined && call.path === options.revokePath) return revoke(call);
      return undefined;
    },
    scopesOf: (authorization) => {
      const bearer = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
      return bearer === undefined ? undefined : grants.scopesOf(bearer);
    },
    next: (deed) => void deeds.push(deed),
    expireAccess: () => grants.expireAccess(),
    revokeAll: () => grants.endAll(),
    tokenCalls: () => [...calls],
  };
}

function faultOf(asked: URLSearchParams, pkce: AuthorizationOptions['pkce']): string | undefined {
  if (asked.get('response_type') !== 'code') return 'response_type is not code';
  const challenge = asked.get('code_challenge');
  if (challenge === null) return pkce === 'required' ? 'code_challenge is missing' : undefined;
  if (asked.get('code_challenge_method') !== 'S256') return 'code_challenge_method is not S256';
  return /^[A-Za-z0-9_-]{43}$/.test(challenge) ? undefined : 'code_challenge is no SHA-256';
}

function admitted(redirect: string, registered: readonly string[] | undefined): boolean {
  if (registered !== undefined) return registered.includes(redirect);
  const url = URL.parse(redirect);
  return url !== null && /^(localhost|127\.0\.0\.1|\[::1\]|[a-z0-9-]+\.localhost)$/.test(url.hostname);
}

function isClient(
  call: Call,
  given: URLSearchParams,
  { app, clientAuthentication }: AuthorizationOptions,
): boolean {
  if (clientAuthentication === 'body') {
    return given.get('client_id') === app.clientId && given.get('client_secret') === app.clientSecret;
  }
  const [, pair = ''] = /^Basic (.+)$/i.exec(call.headers['authorization'] ?? '') ?? [];
  const [, id, secret] = /^([^:]*):(.*)$/.exec(Buffer.from(pair, 'base64').toString('utf8')) ?? [];
  // RFC 6749 2.3.1 has both parts form-encoded; many clients leave that out, and many servers bear it.
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return (
    (id === encode(app.clientId) && secret === encode(app.clientSecret)) ||
    (id === app.clientId && secret === app.clientSecret)
  );
}

function bodyOf(call: Call): URLSearchParams {
  const type = call.headers['content-type'] ?? '';
  if (!type.startsWith('application/json')) return new URLSearchParams(call.body);
  try {
    const body: unknown = JSON.parse(call.body);
    const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
    return new URLSearchParams(members.map(([name, value]): [string, string] => [name, String(value)]));
  } catch {
    // Says nothing of who asks: refused as an unknown client.
    return new URLSearchParams();
  }
}

function scopesIn(text: string | null): string[] {
  return (text ?? '').split(/[ ,]+/).filter((scope) => scope !== '');
}

function refuse(back: URL, error: string, description: string): Answer {
  back.searchParams.set('error', error);
  back.searchParams.set('error_description', description);
  return { status: 303, headers: { location: back.href } };
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

function consent(host: string, client: string, scopes: readonly string[]): Answer {
  const boxes = scopes.map(
    (scope) =>
      html`<li><label><input type="checkbox" name="scope" value="${scope}" checked> ${scope}</label></li>`,
  );
  // Without an action the form goes to the address of the page itself, with its query.
  return shown(
    200,
    `Sign in to ${host}`,
    html`<p>The app ${client} wants to use your account.</p>
<form method="post">
<ul>${boxes}</ul>
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  );
}

const page = (status: number, title: string, text: string): Answer =>
  shown(status, title, html`<p>${text}</p>`);

function shown(status: number, title: string, body: ReturnType<typeof html>): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1>${body}</body></html>`),
  };
}
