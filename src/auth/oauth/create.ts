// Speaks OAuth 2.1 as each provider declares it, by oauth4webapi: what differs between providers (names of
// parameters, where the client's credentials stand, form or JSON) is put in order on the way out and back.
import * as oauth from 'oauth4webapi';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2, OAuthApp, TokenAnswer } from '../../providers/auth.ts';
import { fillHeader, fillUrl } from '../../providers/template.ts';
import type { Secret } from '../../secret.ts';
import { readAnswer, tokenAnswer } from './answer.ts';
import type { Grant, OAuth } from './oauth.ts';
import type { Asking } from './refusal.ts';

type Renamed = keyof NonNullable<OAuth2['rename']>;

export function createOAuth({ clock }: { clock: Clock }): OAuth {
  /** The way to a token endpoint and back, as the library calls it. */
  function through(grant: Grant, asking: Asking): typeof fetch {
    const { auth, fields } = grant;
    const tokenIn = (answer: Readonly<Record<string, unknown>>) =>
      auth.tokenIn === undefined ? answer : auth.tokenIn(answer, fields);
    const json = asking === 'revoke' ? auth.revocation?.body === 'json' : auth.bodyKind === 'json';
    return async (input, init) => {
      const parameters = init?.body as URLSearchParams;
      if (asking !== 'revoke') rename(auth, fields, parameters);
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(auth.tokenHeaders ?? {})) headers.set(name, value);
      if (json) headers.set('content-type', 'application/json');
      const response = await grant.fetch(String(input), {
        method: 'POST',
        headers,
        body: json ? JSON.stringify(Object.fromEntries(parameters)) : parameters.toString(),
        // A token never follows a redirect to somebody else.
        redirect: 'manual',
      });
      return readAnswer(response, {
        asking,
        host: new URL(String(input)).hostname,
        clock,
        tokenIn,
      });
    };
  }

  /** The refresh of a grant; also how a bearer that is to end its grant is had. */
  async function refresh(grant: Grant, refreshToken: Secret): Promise<TokenAnswer> {
    const { auth, app } = grant;
    if (auth.official !== undefined) return auth.official.refresh({ ...grant, refreshToken });
    const server = serverOf(grant, auth.refreshUrl ?? auth.tokenUrl);
    const response = await oauth.refreshTokenGrantRequest(
      server,
      clientOf(app),
      credentialsOf(auth, app),
      refreshToken.reveal(),
      {
        [oauth.customFetch]: through(grant, 'refresh'),
        additionalParameters: { ...auth.tokenParameters },
      },
    );
    const body = await conform(() => oauth.processRefreshTokenResponse(server, clientOf(app), response));
    return tokenAnswer(auth, body);
  }

  return {
    refresh,

    async authorizationUrl({ auth, app, fields, scopes, redirectUri, state, codeVerifier }) {
      const url = fillUrl(auth.authorizeUrl, fields);
      const parameters = new URLSearchParams({
        client_id: app.clientId,
        redirect_uri: redirectUri,
        response_type: auth.responseType ?? 'code',
        state,
      });
      if (scopes.length > 0) parameters.set('scope', scopes.join(auth.scopeSeparator ?? ' '));
      if (auth.pkce === 'S256') {
        parameters.set('code_challenge', await oauth.calculatePKCECodeChallenge(codeVerifier.reveal()));
        parameters.set('code_challenge_method', 'S256');
      }
      rename(auth, fields, parameters);
      for (const [name, value] of [...parameters, ...Object.entries(auth.authorizeParameters ?? {})]) {
        url.searchParams.set(name, value);
      }
      return url;
    },

    async exchange(grant, { callback, redirectUri, codeVerifier }) {
      const { auth, app } = grant;
      const server = serverOf(grant, auth.tokenUrl);
      const came = checkCallback(server, clientOf(app), auth, callback);
      auth.checkCallback?.(callback, { app, fields: grant.fields, now: clock.now() });
      if (auth.official !== undefined) return auth.official.exchange({ ...grant, callback, redirectUri });
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        clientOf(app),
        credentialsOf(auth, app),
        came,
        redirectUri,
        auth.pkce === 'S256' ? codeVerifier.reveal() : oauth.nopkce,
        {
          [oauth.customFetch]: through(grant, 'exchange'),
          additionalParameters: { ...auth.tokenParameters },
        },
      );
      const body = await conform(() =>
        oauth.processAuthorizationCodeResponse(server, clientOf(app), response),
      );
      return tokenAnswer(auth, body);
    },

    async revoke(grant, tokens) {
      const { auth, app } = grant;
      if (auth.revocation === undefined) return;
      // One of them ends the grant; where that one is not there, the other ends at least itself.
      const token =
        auth.revocation.token === 'refresh'
          ? (tokens.refresh ?? tokens.access)
          : (tokens.access ?? tokens.refresh);
      if (token === undefined) return;
      try {
        if (auth.official !== undefined) {
          await auth.official.revoke({ ...grant, token });
          return;
        }
        const { url, body } = auth.revocation;
        if (body === 'none') {
          // The one that is kept may have ended.
          const live =
            tokens.refresh === undefined ? token : (await refresh(grant, tokens.refresh)).accessToken;
          const at = fillUrl(url, grant.fields);
          const headers = { authorization: `Bearer ${live.reveal()}` };
          const said = await grant.fetch(at, { method: 'POST', headers, redirect: 'manual' });
          await readAnswer(said, { asking: 'revoke', host: at.hostname, clock });
          return;
        }
        const server = { ...serverOf(grant, auth.tokenUrl), ...revocationOf(grant, url) };
        const response = await oauth.revocationRequest(
          server,
          clientOf(app),
          credentialsOf(auth, app),
          token.reveal(),
          { [oauth.customFetch]: through(grant, 'revoke') },
        );
        await conform(() => oauth.processRevocationResponse(response));
      } catch (thrown) {
        if (!(thrown instanceof DrawbridgeError && thrown.code === 'auth_revoked')) throw thrown;
      }
    },
  };
}

function serverOf({ auth, fields }: Grant, tokenUrl: string): oauth.AuthorizationServer {
  const url = fillUrl(tokenUrl, fields);
  return { issuer: auth.issuer ?? url.origin, token_endpoint: url.href };
}

function revocationOf({ fields }: Grant, url: string): { revocation_endpoint: string } {
  return { revocation_endpoint: fillUrl(url, fields).href };
}

function clientOf(app: OAuthApp): oauth.Client {
  return { client_id: app.clientId };
}

function credentialsOf(auth: OAuth2, app: OAuthApp): oauth.ClientAuth {
  const { clientId, clientSecret } = app;
  if (auth.clientAuthentication === 'none' || clientSecret === undefined) return oauth.None();
  if (auth.clientAuthentication === 'body') return oauth.ClientSecretPost(clientSecret.reveal());
  // Not the library's own: it also encodes `-`, `.` and `_`, which a form leaves as they are, and a server
  // that forgets to decode then knows no such client.
  return (_server, _client, _body, headers) => {
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`;
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
  };
}

/** RFC 6749 appendix B. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function rename(auth: OAuth2, fields: Grant['fields'], parameters: URLSearchParams): void {
  for (const [name, other] of Object.entries(auth.rename ?? {}) as [Renamed, string | null][]) {
    const value = parameters.get(name);
    parameters.delete(name);
    if (value !== null && other !== null) parameters.set(fillHeader(other, fields), value);
  }
}

/** Issuer (RFC 9207), refusals and the code of the way back; the state is spent by who kept it. */
function checkCallback(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  auth: OAuth2,
  callback: URL,
): URLSearchParams {
  const parameters = new URLSearchParams(callback.searchParams);
  if (auth.issuer === undefined) parameters.delete('iss');
  let came: URLSearchParams;
  try {
    came = oauth.validateAuthResponse(server, client, parameters, oauth.skipStateCheck);
  } catch (thrown) {
    if (thrown instanceof oauth.AuthorizationResponseError) throw saidNo(thrown.error);
    throw new DrawbridgeError(
      'invalid_request',
      'The way back from the provider is not the answer to our question: another issuer sent it, or it was altered. Begin again.',
      { cause: thrown },
    );
  }
  const codes = came.getAll('code');
  if (codes.length !== 1 || codes[0] === '') {
    throw new DrawbridgeError('invalid_request', 'The provider sent no single code back. Begin again.');
  }
  return came;
}

function saidNo(error: string): DrawbridgeError {
  if (error === 'access_denied') {
    return new DrawbridgeError('permission_denied', 'The access was not allowed: nothing was connected.');
  }
  if (error === 'server_error' || error === 'temporarily_unavailable') {
    return new DrawbridgeError('provider_unavailable', `The provider is in trouble (${error}). Try again.`);
  }
  const named = /^[\w.-]{1,60}$/.test(error) ? ` (${error})` : '';
  return new DrawbridgeError('invalid_request', `The provider refused the authorization${named}.`);
}

/** @throws DrawbridgeError `malformed_response` where the library finds the answer at fault */
async function conform<Result>(process: () => Promise<Result>): Promise<Result> {
  try {
    return await process();
  } catch (cause) {
    throw new DrawbridgeError(
      'malformed_response',
      'The token endpoint answered with something unexpected.',
      {
        cause,
      },
    );
  }
}
