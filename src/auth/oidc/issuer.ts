// Signing in at an OpenID Connect issuer: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0,
// RFC 9700). The ID token is checked whole, its signature too, though it came over TLS.
import * as oauth from 'oauth4webapi';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import type { PlainFetch } from '../../providers/auth.ts';
import type { HostedSignIn } from '../../sign-in-config.ts';
import type { Identity } from '../members.ts';
import { calling } from '../oauth/calling.ts';
import type { SignInWay } from './hosted.ts';
import { createKeySet, type KeySet } from './key-set.ts';

const keptMs = 3_600_000;

type OidcConfig = HostedSignIn & { by: { kind: 'oidc' } };

export interface Issuer extends SignInWay {
  keys(): Promise<{ issuer: string; keys: KeySet }>;
}

interface Known {
  at: number;
  server: oauth.AuthorizationServer;
  keys: KeySet;
}

export function createIssuer(given: {
  config: OidcConfig;
  /** `token`: a call that is made once at most. */
  fetch: (operation: 'discover' | 'keys' | 'token') => PlainFetch;
  clock: Clock;
}): Issuer {
  const { config, clock } = given;
  const { by } = config;
  let known: Known | undefined;
  let finding: Promise<Known> | undefined;

  async function find(): Promise<Known> {
    const url = new URL(config.issuer);
    const response = await oauth.discoveryRequest(url, {
      algorithm: 'oidc',
      [oauth.customFetch]: calling(given.fetch('discover')),
    });
    if (response.status !== 200)
      throw silent(`${url.hostname} does not say how to sign in (${response.status}).`);
    const server = await holds(url, () => oauth.processDiscoveryResponse(url, response));
    for (const endpoint of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
      if (URL.parse(server[endpoint] ?? '')?.protocol !== 'https:') {
        throw new DrawbridgeError('malformed_response', `${url.hostname} names no ${endpoint}.`);
      }
    }
    const jwks = String(server.jwks_uri);
    const before = known?.server.jwks_uri === jwks ? known.keys : undefined;
    const keys = before ?? createKeySet({ url: jwks, fetch: given.fetch('keys'), clock });
    known = { at: clock.elapsed(), server, keys };
    return known;
  }

  async function issuer(): Promise<Known> {
    if (known !== undefined && clock.elapsed() - known.at < keptMs) return known;
    finding ??= find().finally(() => {
      finding = undefined;
    });
    return finding;
  }

  const client: oauth.Client = { client_id: by.clientId, [oauth.clockTolerance]: 60 };

  function authentication(server: oauth.AuthorizationServer): oauth.ClientAuth {
    if (by.clientSecret === undefined) return oauth.None();
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const secret = by.clientSecret.reveal();
    return methods.includes('client_secret_basic')
      ? oauth.ClientSecretBasic(secret)
      : oauth.ClientSecretPost(secret);
  }

  return {
    async keys() {
      const { server, keys } = await issuer();
      return { issuer: server.issuer, keys };
    },

    async start({ hint, redirectUri, state }) {
      const { server } = await issuer();
      const codeVerifier = newToken(32);
      const nonce = newToken(32);
      const url = new URL(String(server.authorization_endpoint));
      const parameters = {
        client_id: by.clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(hint === undefined || by.hintParameter === undefined ? {} : { [by.hintParameter]: hint }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url: url.href, kept: { codeVerifier, nonce } };
    },

    async finish({ callback, redirectUri, state, kept }): Promise<Identity> {
      const { server, keys } = await issuer();
      const { nonce } = kept;
      if (nonce === undefined) throw new Error('a sign-in without its nonce');
      const { hostname } = new URL(config.issuer);
      const answer = await holds(new URL(config.issuer), async () => {
        const parameters = oauth.validateAuthResponse(server, client, callback, state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication(server),
          parameters,
          redirectUri,
          kept.codeVerifier,
          { [oauth.customFetch]: calling(given.fetch('token')) },
        );
        if (response.status >= 500)
          throw silent(`${hostname} is in trouble (${response.status}). Try again later.`);
        return oauth.processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
        });
      });
      const claims = await keys.verify(String(answer.id_token), {
        issuer: server.issuer,
        audience: by.clientId,
        types: ['jwt'],
      });
      const { email } = claims;
      return {
        issuer: server.issuer,
        subject: String(claims.sub),
        verifiedEmail: typeof email === 'string' && claims['email_verified'] === true ? email : undefined,
      };
    },
  };
}

/** Runs a step of the library; what it finds wrong is a refusal, in our words. */
async function holds<Result>(issuer: URL, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof DrawbridgeError) throw cause;
    if (cause instanceof oauth.AuthorizationResponseError) {
      if (cause.error === 'access_denied') {
        throw new DrawbridgeError(
          'permission_denied',
          'You did not agree, or were not let in. Nobody was signed in.',
          {
            cause,
          },
        );
      }
      throw refused(issuer.hostname, cause);
    }
    if (cause instanceof oauth.ResponseBodyError && cause.error === 'invalid_client') {
      throw new DrawbridgeError(
        'invalid_request',
        `${issuer.hostname} refuses Drawbridge's client: check DRAWBRIDGE_OIDC_CLIENT_ID and DRAWBRIDGE_OIDC_CLIENT_SECRET.`,
        { cause },
      );
    }
    throw refused(issuer.hostname, cause);
  }
}

function silent(message: string): DrawbridgeError {
  return new DrawbridgeError('provider_unavailable', message);
}

function refused(hostname: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    `What ${hostname} answered does not hold, and nobody was signed in. Begin again; if that does not help, the log has the reason.`,
    { field: 'token', cause },
  );
}
