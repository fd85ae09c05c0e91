// Where a server that we know only by its address lets people sign in: the MCP authorization specification
// (2025-11-25), which is RFC 9728, RFC 8414, RFC 7591, PKCE and RFC 8707 in a row. All that is read here was
// written by a stranger.
import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2, OAuthApp, PlainFetch } from '../../providers/auth.ts';
import { Secret } from '../../secret.ts';
import { calling } from './calling.ts';

const longestMetadata = 100_000;

const resourceMetadata = z.object({
  resource: z.url().optional(),
  authorization_servers: z.array(z.url()).min(1),
  scopes_supported: z.array(z.string()).optional(),
});

export interface Discovered {
  auth: OAuth2;
  app: OAuthApp;
}

/**
 * Finds out how to sign in at `url`, and registers a client there.
 * @param given.app a client that a person registered there: used instead of one that the server would register
 * @returns undefined when the server answers without any credential
 * @throws DrawbridgeError `malformed_response` for metadata that does not hold; `invalid_request`, `ask` when
 * a client must be registered by hand; what the door says
 */
export async function discoverAuthorization(given: {
  url: URL;
  fetch: PlainFetch;
  redirectUri: string;
  app: OAuthApp | undefined;
}): Promise<Discovered | undefined> {
  const { url, fetch: leave, redirectUri } = given;
  const challenge = await challengeOf(url, leave);
  if (challenge === undefined) return undefined;
  const resource = await resourceOf(url, challenge, leave);
  const issuer = new URL(resource.authorization_servers[0] as string);
  const server = await serverOf(issuer, leave);
  if (server.authorization_endpoint === undefined || server.token_endpoint === undefined) {
    throw malformed(issuer, 'names no authorization or token endpoint');
  }
  if (server.code_challenge_methods_supported?.includes('S256') !== true) {
    throw malformed(issuer, 'does not offer PKCE with S256, without which a code could be stolen');
  }
  const scopes = challenge.scopes ?? resource.scopes_supported ?? [];
  const offline = server.scopes_supported?.includes('offline_access') === true ? ['offline_access'] : [];
  const asked = [...new Set([...scopes, ...offline])];
  const endpoints = {
    authorizeUrl: httpsOf(server.authorization_endpoint, issuer),
    tokenUrl: httpsOf(server.token_endpoint, issuer),
    revokeUrl:
      server.revocation_endpoint === undefined ? undefined : httpsOf(server.revocation_endpoint, issuer),
  };
  const { app, method } = await clientAt(server, issuer, { ...given, redirectUri, scopes: asked });
  const audience = resource.resource ?? url.href;
  return {
    app,
    auth: {
      kind: 'oauth2',
      app: 'discovered',
      authorizeUrl: endpoints.authorizeUrl,
      tokenUrl: endpoints.tokenUrl,
      ...(endpoints.revokeUrl === undefined
        ? {}
        : { revocation: { url: endpoints.revokeUrl, token: 'refresh', body: 'form' } }),
      issuer: server.issuer,
      pkce: 'S256',
      clientAuthentication: method,
      scopes: asked,
      authorizeParameters: { resource: audience },
      tokenParameters: { resource: audience },
      accessToken: { readFrom: 'answer' },
      refreshToken: { rotation: 'sometimes', lifetime: { readFrom: 'answer' } },
      registration: [],
    },
  };
}

interface Challenge {
  metadata: URL | undefined;
  scopes: string[] | undefined;
}

/** What the server says to a call without a credential; undefined when it takes it. */
async function challengeOf(url: URL, leave: PlainFetch): Promise<Challenge | undefined> {
  const response = await leave(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'drawbridge', version: '1' },
      },
    }),
  });
  if (response.status !== 401) {
    if (response.ok) return undefined;
    throw new DrawbridgeError(
      response.status >= 500 ? 'provider_unavailable' : 'invalid_request',
      `${url.hostname} does not answer as an MCP server (${response.status}). Check the address.`,
      { field: 'url' },
    );
  }
  const header = response.headers.get('www-authenticate') ?? '';
  const named = parameterOf(header, 'resource_metadata');
  const scope = parameterOf(header, 'scope');
  const metadata = named === undefined ? undefined : (URL.parse(named) ?? undefined);
  return { metadata, scopes: scope?.split(' ').filter((one) => one !== '') };
}

function parameterOf(header: string, name: string): string | undefined {
  return new RegExp(`[\\s,]${name}="([^"]*)"`, 'i').exec(` ${header}`)?.[1];
}

/** RFC 9728: where the challenge says, else below the well-known path, else at the root. */
async function resourceOf(
  url: URL,
  challenge: Challenge,
  leave: PlainFetch,
): Promise<z.output<typeof resourceMetadata>> {
  const known = '/.well-known/oauth-protected-resource';
  const path = url.pathname === '/' ? '' : url.pathname;
  const places = [challenge.metadata, new URL(`${known}${path}`, url), new URL(known, url)];
  for (const place of places) {
    if (place === undefined) continue;
    if (place.origin !== url.origin) throw malformed(url, 'names metadata at another server');
    const read = await json(place, leave);
    if (read === undefined) continue;
    const parsed = resourceMetadata.safeParse(read);
    if (!parsed.success) throw malformed(url, 'gives metadata that is none');
    const { resource } = parsed.data;
    // A token for another resource must not be asked for in this one's name.
    if (resource !== undefined && !covers(new URL(resource), url)) {
      throw malformed(url, 'gives metadata of another resource');
    }
    return parsed.data;
  }
  // Before RFC 9728 the server was its own authorization server.
  return { authorization_servers: [url.origin] };
}

function covers(resource: URL, url: URL): boolean {
  const path = resource.pathname.replace(/\/$/, '');
  return resource.origin === url.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
}

async function serverOf(issuer: URL, leave: PlainFetch): Promise<oauth.AuthorizationServer> {
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    const response = await oauth.discoveryRequest(issuer, {
      algorithm,
      [oauth.customFetch]: calling(leave),
    });
    if (response.status !== 200) continue;
    try {
      return await oauth.processDiscoveryResponse(issuer, response);
    } catch (cause) {
      throw malformed(issuer, 'gives metadata that does not hold', cause);
    }
  }
  throw malformed(issuer, 'has no metadata of an authorization server');
}

async function clientAt(
  server: oauth.AuthorizationServer,
  issuer: URL,
  given: { fetch: PlainFetch; redirectUri: string; scopes: readonly string[]; app: OAuthApp | undefined },
): Promise<{ app: OAuthApp; method: OAuth2['clientAuthentication'] }> {
  if (given.app !== undefined) {
    return { app: given.app, method: given.app.clientSecret === undefined ? 'none' : 'body' };
  }
  if (server.registration_endpoint === undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      `${issuer.hostname} registers no clients by itself, and none is registered here for it (docs/providers.md says for which servers one can be). If it gives out bearer tokens, connect it with one.`,
      { retry: 'ask', field: 'client_id' },
    );
  }
  httpsOf(server.registration_endpoint, issuer);
  const supported = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const method = supported.includes('none')
    ? 'none'
    : supported.includes('client_secret_post')
      ? 'client_secret_post'
      : 'client_secret_basic';
  const response = await oauth.dynamicClientRegistrationRequest(
    server,
    {
      client_name: 'Drawbridge',
      redirect_uris: [given.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: method,
      ...(given.scopes.length === 0 ? {} : { scope: given.scopes.join(' ') }),
    },
    { [oauth.customFetch]: calling(given.fetch) },
  );
  let client: Awaited<ReturnType<typeof oauth.processDynamicClientRegistrationResponse>>;
  try {
    client = await oauth.processDynamicClientRegistrationResponse(response);
  } catch (cause) {
    throw new DrawbridgeError('invalid_request', `${issuer.hostname} did not register a client for us.`, {
      cause,
    });
  }
  const secret = client['client_secret'];
  const registered = client['token_endpoint_auth_method'] ?? method;
  return {
    app: {
      clientId: client.client_id,
      clientSecret: typeof secret === 'string' && secret !== '' ? new Secret(secret) : undefined,
    },
    method: registered === 'none' ? 'none' : registered === 'client_secret_post' ? 'body' : 'basic',
  };
}

/** The body of a 200 as JSON; undefined for a 404 and its kin. */
async function json(url: URL, leave: PlainFetch): Promise<unknown> {
  const response = await leave(url, { headers: { accept: 'application/json' }, redirect: 'manual' });
  if (response.status !== 200) return undefined;
  const text = await response.text();
  if (text.length > longestMetadata) throw malformed(url, 'gives metadata that is too long');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(url, 'gives metadata that is no JSON', cause);
  }
}

/** Placeholders have no place in an address that a stranger gives. */
function httpsOf(endpoint: string, issuer: URL): string {
  const url = URL.parse(endpoint);
  if (url === null || url.protocol !== 'https:' || /[{}]/.test(endpoint)) {
    throw malformed(issuer, 'names an endpoint that is no https address');
  }
  return url.href;
}

function malformed(url: URL, what: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError('malformed_response', `${url.hostname} ${what}.`, { cause });
}
