// An OpenID Connect issuer that holds its clients to the rules, signs with real keys, rotates them, and lies on
// order: what a client must find out for itself. Its page has a button for each of its people.
import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { html } from 'hono/html';
import type { Clock } from '../src/clock.ts';
import type { Answer } from './http.ts';
import type { Call, Emulator } from './providers.ts';

export interface IssuerPerson {
  subject: string;
  email: string;
  verified: boolean;
  name: string;
}

/** What the next token, or for `callback-issuer` the next way back, says that is not so. */
export type Lie =
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet'
  | 'alg-none'
  | 'alg-hs256'
  | 'foreign-key'
  | 'wrong-nonce'
  | 'no-nonce'
  | 'callback-issuer';

export interface IssuerOptions {
  /** Such as `login.example`. */
  host: string;
  client: { id: string; secret: string | undefined; redirectUri: string };
  people: readonly IssuerPerson[];
}

export interface OidcIssuer extends Emulator {
  issuer: string;
  lie(lie: Lie): void;
  /** Signs with a new key from now on; the former one is published no more. */
  rotateKeys(): void;
  /** An access token as the token endpoint would give it; a claim of `undefined` is left out. */
  accessToken(claims: Record<string, unknown>, header?: Record<string, unknown>): string;
}

interface Code {
  person: IssuerPerson;
  nonce: string | null;
  challenge: string;
  redirectUri: string;
  clientId: string;
  scope: string;
  resource: string | null;
}

interface Key {
  kid: string;
  secret: KeyObject;
}

export function createOidcIssuer(options: IssuerOptions, clock: Clock): OidcIssuer {
  const { host, client, people } = options;
  const issuer = `https://${host}`;
  const codes = new Map<string, Code>();
  /** Clients that registered themselves (RFC 7591): public ones. */
  const registered = new Map<string, { redirectUris: string[] }>();
  const lies: Lie[] = [];
  let key = newKey();

  const seconds = () => Math.floor(clock.now() / 1000);

  function metadata(): Answer {
    return json(200, {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code'],
      subject_types_supported: ['public'],
      // As some do: a list that alone would let a client be talked into a weak one.
      id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'email', 'profile', 'read', 'propose'],
      authorization_response_iss_parameter_supported: true,
    });
  }

  function authorize(call: Call): Answer {
    const asked = call.query;
    const redirectUri = asked.get('redirect_uri') ?? '';
    const clientId = asked.get('client_id') ?? '';
    const uris =
      clientId === client.id ? [client.redirectUri] : (registered.get(clientId)?.redirectUris ?? []);
    if (!uris.includes(redirectUri)) return page(400, 'This client is unknown here', []);
    const challenge = asked.get('code_challenge');
    if (
      asked.get('response_type') !== 'code' ||
      challenge === null ||
      asked.get('code_challenge_method') !== 'S256'
    ) {
      return page(400, 'PKCE with S256 is needed', []);
    }
    if (call.method !== 'POST') return page(200, `Sign in to ${host}`, people);
    const back = new URL(redirectUri);
    const state = asked.get('state');
    if (state !== null) back.searchParams.set('state', state);
    back.searchParams.set('iss', told('callback-issuer') ? 'https://another.example' : issuer);
    const person = people.find(({ subject }) => subject === new URLSearchParams(call.body).get('person'));
    if (person === undefined) {
      back.searchParams.set('error', 'access_denied');
      return { status: 303, headers: { location: back.href } };
    }
    const code = randomBytes(16).toString('base64url');
    codes.set(code, {
      person,
      nonce: asked.get('nonce'),
      challenge,
      redirectUri,
      clientId,
      scope: asked.get('scope') ?? '',
      resource: asked.get('resource'),
    });
    back.searchParams.set('code', code);
    return { status: 303, headers: { location: back.href } };
  }

  function token(call: Call): Answer {
    const given = new URLSearchParams(call.body);
    const code = codes.get(given.get('code') ?? '');
    codes.delete(given.get('code') ?? '');
    const clientId = clientIn(call, given, client);
    if (clientId === undefined) return json(401, { error: 'invalid_client' });
    const verifier = given.get('code_verifier') ?? '';
    if (
      given.get('grant_type') !== 'authorization_code' ||
      code === undefined ||
      code.clientId !== clientId ||
      code.redirectUri !== given.get('redirect_uri') ||
      code.challenge !== createHash('sha256').update(verifier).digest('base64url')
    ) {
      return json(400, { error: 'invalid_grant' });
    }
    const { person, scope } = code;
    const granted = scope.split(' ').filter((word) => word !== '');
    return json(200, {
      access_token: accessToken({
        sub: person.subject,
        aud: code.resource ?? `${issuer}/userinfo`,
        client_id: clientId,
        scope: granted.filter((word) => word === 'read' || word === 'propose').join(' '),
      }),
      token_type: 'Bearer',
      expires_in: 3600,
      ...(granted.includes('openid') ? { id_token: idToken(code) } : {}),
    });
  }

  function idToken({ person, nonce, clientId }: Code): string {
    const lie = lies.shift();
    return signed(
      {
        iss: lie === 'wrong-issuer' ? 'https://another.example' : issuer,
        sub: person.subject,
        aud: lie === 'wrong-audience' ? 'another-client' : clientId,
        iat: seconds() - (lie === 'expired' ? 7200 : 0),
        ...(lie === 'not-yet' ? { nbf: seconds() + 3600 } : {}),
        exp: seconds() + (lie === 'expired' ? -3600 : 600),
        nonce: lie === 'no-nonce' ? undefined : lie === 'wrong-nonce' ? 'of-another-sign-in' : nonce,
        email: person.email,
        email_verified: person.verified,
        name: person.name,
      },
      { typ: 'JWT' },
      lie,
    );
  }

  function accessToken(
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
    lie?: Lie | undefined,
  ): string {
    return signed(
      { iss: issuer, iat: seconds(), exp: seconds() + 3600, jti: randomBytes(8).toString('hex'), ...claims },
      { typ: 'at+jwt', ...header },
      lie,
    );
  }

  function signed(
    claims: Record<string, unknown>,
    header: Record<string, unknown>,
    lie: Lie | undefined,
  ): string {
    const alg = lie === 'alg-none' ? 'none' : lie === 'alg-hs256' ? 'HS256' : 'ES256';
    const body = [{ alg, kid: key.kid, ...header }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const input = body.join('.');
    if (lie === 'alg-none') return `${input}.`;
    if (lie === 'alg-hs256') {
      // The published key taken for a shared one (RFC 8725, 2.1).
      const known = createPublicKey(key.secret).export({ type: 'spki', format: 'pem' });
      return `${input}.${createHmac('sha256', known).update(input).digest('base64url')}`;
    }
    const { secret } = lie === 'foreign-key' ? newKey() : key;
    const signature = sign('sha256', Buffer.from(input), { key: secret, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }

  function register(call: Call): Answer {
    const asked = JSON.parse(call.body) as { redirect_uris: string[] };
    const id = `client-${randomBytes(6).toString('hex')}`;
    registered.set(id, { redirectUris: asked.redirect_uris });
    return json(201, { ...asked, client_id: id, token_endpoint_auth_method: 'none' });
  }

  function told(lie: Lie): boolean {
    if (lies[0] !== lie) return false;
    lies.shift();
    return true;
  }

  return {
    provider: 'sign-in',
    hosts: [host],
    issuer,
    lie: (lie) => void lies.push(lie),
    rotateKeys() {
      key = newKey();
    },
    accessToken: (claims, header) => accessToken(claims, header, lies.shift()),
    handle(call) {
      switch (call.path) {
        case '/.well-known/openid-configuration':
        case '/.well-known/oauth-authorization-server':
          return metadata();
        case '/keys':
          return json(200, { keys: [jwkOf(key)] });
        case '/authorize':
          return authorize(call);
        case '/token':
          return token(call);
        case '/register':
          return register(call);
        default:
          return json(404, { error: 'not_found' });
      }
    },
  };
}

function newKey(): Key {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid: randomBytes(6).toString('hex'), secret: privateKey };
}

function jwkOf({ kid, secret }: Key): Record<string, unknown> {
  return { ...createPublicKey(secret).export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
}

/** The client that asks, by secret or, when it is a public one, by name. */
function clientIn(call: Call, given: URLSearchParams, client: IssuerOptions['client']): string | undefined {
  const [, pair = ''] = /^Basic (.+)$/i.exec(call.headers['authorization'] ?? '') ?? [];
  const [, basicId, basicSecret] = /^([^:]*):(.*)$/.exec(Buffer.from(pair, 'base64').toString('utf8')) ?? [];
  const id = basicId === undefined ? (given.get('client_id') ?? '') : decodeURIComponent(basicId);
  const secret = basicSecret === undefined ? given.get('client_secret') : decodeURIComponent(basicSecret);
  return id !== client.id || (secret ?? undefined) === client.secret ? id : undefined;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

function page(status: number, title: string, people: readonly IssuerPerson[]): Answer {
  const buttons = people.map(
    ({ subject, email }) => html`<button name="person" value="${subject}">${email}</button>`,
  );
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    // Without an action the form goes to the address of the page itself, with its query.
    body: String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1>
${people.length === 0 ? '' : html`<form method="post">${buttons}<button name="person" value="">Cancel</button></form>`}
</body></html>`),
  };
}
