// Supabase Auth as supabase-js sees it: the page of an account (`/authorize`, which goes on to Google, Apple or
// LinkedIn at the real one), the exchange of a code by PKCE, the project's keys. It lies on order.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import { html } from 'hono/html';
import type { Clock } from '../src/clock.ts';
import type { Answer } from './http.ts';
import type { Call, Emulator } from './providers.ts';

export interface SupabaseUser {
  /** The user's id. */
  id: string;
  /** Of the user itself: anybody's claim where the project confirms no addresses. */
  email: string;
  /** Accounts that the user has signed in with. */
  identities: readonly { provider: string; email: string; email_verified: boolean }[];
}

export type SupabaseLie = 'wrong-issuer' | 'wrong-audience' | 'expired' | 'foreign-key' | 'another-user';

export interface SupabaseOptions {
  /** Such as `abc.supabase.co`. */
  host: string;
  publishableKey: string;
  /** Beginnings of addresses that people may be sent back to. */
  redirects: readonly string[];
  providers: readonly string[];
  users: readonly SupabaseUser[];
}

export interface SupabaseAuth extends Emulator {
  issuer: string;
  lie(lie: SupabaseLie): void;
  /** What its OAuth server gives to a client of an agent; with `hook`, what a Custom Access Token Hook adds. */
  accessToken(userId: string, hook?: Record<string, unknown>): string;
}

interface Code {
  user: SupabaseUser;
  challenge: string;
}

export function createSupabaseAuth(options: SupabaseOptions, clock: Clock): SupabaseAuth {
  const { host } = options;
  const issuer = `https://${host}/auth/v1`;
  const key = newKey();
  const codes = new Map<string, Code>();
  const lies: SupabaseLie[] = [];
  const seconds = () => Math.floor(clock.now() / 1000);

  function authorize(call: Call): Answer {
    const asked = call.query;
    const back = URL.parse(asked.get('redirect_to') ?? '');
    const challenge = asked.get('code_challenge');
    const provider = asked.get('provider') ?? '';
    if (!options.providers.includes(provider)) {
      return json(400, {
        code: 400,
        error_code: 'validation_failed',
        msg: 'Unsupported provider: provider is not enabled',
      });
    }
    if (back === null || !options.redirects.some((start) => back.href.startsWith(start))) {
      return json(400, { code: 400, msg: 'the redirect address is not listed' });
    }
    if (challenge === null || asked.get('code_challenge_method') !== 's256') {
      return json(400, { code: 400, msg: 'PKCE is needed here' });
    }
    if (call.method !== 'POST') return page(`Choose an account of ${provider}`, options.users);
    const user = options.users.find(({ id }) => id === new URLSearchParams(call.body).get('person'));
    if (user === undefined) {
      back.searchParams.set('error', 'access_denied');
      return { status: 303, headers: { location: back.href } };
    }
    const code = randomUUID();
    codes.set(code, { user, challenge });
    back.searchParams.set('code', code);
    return { status: 303, headers: { location: back.href } };
  }

  function token(call: Call): Answer {
    if (call.headers['apikey'] !== options.publishableKey) return json(401, { message: 'Invalid API key' });
    if (call.query.get('grant_type') !== 'pkce') return json(400, { error_code: 'unsupported_grant_type' });
    const given = JSON.parse(call.body) as { auth_code?: string; code_verifier?: string };
    const code = codes.get(given.auth_code ?? '');
    codes.delete(given.auth_code ?? '');
    if (code === undefined)
      return json(404, { code: 404, error_code: 'flow_state_not_found', msg: 'invalid flow state' });
    if (
      createHash('sha256')
        .update(given.code_verifier ?? '')
        .digest('base64url') !== code.challenge
    ) {
      return json(400, {
        code: 400,
        error_code: 'bad_code_verifier',
        msg: 'code challenge does not match previously saved code verifier',
      });
    }
    const { user } = code;
    const lie = lies.shift();
    return json(200, {
      access_token: signed(
        {
          ...claimsOf(user, lie),
          session_id: randomUUID(),
          amr: [{ method: 'oauth', timestamp: seconds() }],
        },
        lie === 'foreign-key' ? newKey() : key,
      ),
      token_type: 'bearer',
      expires_in: 3600,
      expires_at: seconds() + 3600,
      refresh_token: randomBytes(9).toString('base64url'),
      user: {
        id: user.id,
        aud: 'authenticated',
        role: 'authenticated',
        email: user.email,
        // A project that confirms nothing says this of everybody.
        email_confirmed_at: new Date(clock.now()).toISOString(),
        app_metadata: { provider: user.identities[0]?.provider },
        user_metadata: { email: user.email, email_verified: true },
        identities: user.identities.map(({ provider, ...data }) => ({
          identity_id: randomUUID(),
          id: data.email,
          user_id: user.id,
          provider,
          identity_data: data,
        })),
      },
    });
  }

  function claimsOf(user: SupabaseUser, lie?: SupabaseLie): Record<string, unknown> {
    return {
      iss: lie === 'wrong-issuer' ? 'https://another.supabase.co/auth/v1' : issuer,
      sub: lie === 'another-user' ? randomUUID() : user.id,
      aud: lie === 'wrong-audience' ? 'another' : 'authenticated',
      role: 'authenticated',
      email: user.email,
      iat: seconds() - (lie === 'expired' ? 7200 : 0),
      exp: seconds() + (lie === 'expired' ? -3600 : 3600),
    };
  }

  function signed(claims: Record<string, unknown>, by: { kid: string; secret: KeyObject }): string {
    const input = [{ alg: 'ES256', kid: key.kid, typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), { key: by.secret, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }

  return {
    provider: 'sign-in',
    hosts: [host],
    issuer,
    lie: (lie) => void lies.push(lie),
    accessToken(userId, hook = {}) {
      const user = options.users.find(({ id }) => id === userId);
      if (user === undefined) throw new Error(`the project has no user ${userId}`);
      return signed({ ...claimsOf(user), client_id: '9a8b7c6d-5e4f-3a2b-1c0d-9e8f7a6b5c4d', ...hook }, key);
    },
    handle(call) {
      switch (`${call.method} ${call.path}`) {
        case 'GET /auth/v1/authorize':
        case 'POST /auth/v1/authorize':
          return authorize(call);
        case 'POST /auth/v1/token':
          return token(call);
        case 'GET /auth/v1/.well-known/jwks.json':
          return json(200, { keys: [key.published] });
        default:
          return json(404, { code: 404, msg: 'no such path' });
      }
    },
  };
}

function newKey(): { kid: string; secret: KeyObject; published: Record<string, unknown> } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  const published = {
    ...publicKey.export({ format: 'jwk' }),
    kid,
    alg: 'ES256',
    use: 'sig',
    key_ops: ['verify'],
  };
  return { kid, secret: privateKey, published };
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'x-supabase-api-version': '2024-01-01' },
  body: JSON.stringify(body),
});

function page(title: string, users: readonly SupabaseUser[]): Answer {
  const buttons = users.map(({ id, email }) => html`<button name="person" value="${id}">${email}</button>`);
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1><form method="post">${buttons}<button name="person" value="">Cancel</button></form></body></html>`),
  };
}
