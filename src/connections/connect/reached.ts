// The provider as one connection reaches it: by its API as declared, or by an MCP server that says itself how
// people sign in. What was found out at connecting stands among the connection's fields.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Auth, OAuth2, OAuthApp } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import type { Secret } from '../../secret.ts';

/** Names the app of a server that registered us by itself: its credentials are the connection's own. */
export const discoveredApp = 'discovered';
const clientSecret = 'client_secret';

/** How an account is let in there. */
export type Standing = { way: 'open' } | { way: 'token' } | { way: 'oauth'; auth: OAuth2; clientId: string };

const standing = z.discriminatedUnion('way', [
  z.object({ way: z.literal('open') }),
  z.object({ way: z.literal('token') }),
  z.object({
    way: z.literal('oauth'),
    clientId: z.string(),
    auth: z.looseObject({ kind: z.literal('oauth2'), authorizeUrl: z.url(), tokenUrl: z.url() }),
  }),
]);

interface Reach {
  fields: Readonly<Record<string, unknown>>;
  mcpServerUrl?: string | undefined;
}

/** Whether the way in is found out rather than declared. */
export function isDiscovered(provider: Pick<Provider, 'auth'>): boolean {
  return provider.auth.kind === 'discovered';
}

/** `mcp` is the provider of MCP servers in general: what a provider's own server is spoken to by. */
export function overMcp(provider: Provider, mcp: Provider): Provider {
  return { ...mcp, id: provider.id, title: provider.title, fields: provider.fields, capabilities: {} };
}

/**
 * The provider with the way in of this connection.
 * @throws DrawbridgeError `auth_expired` when it is not known any more
 */
export function reachedBy(provider: Provider, { fields, mcpServerUrl }: Reach): Provider {
  const { pasted, bearerHeader } = provider.auth.kind === 'oauth2' ? provider.auth : {};
  if (pasted !== undefined && standing.safeParse(fields['standing']).data?.way === 'token') {
    return { ...provider, auth: bearerIn(pasted, bearerHeader) };
  }
  if (!isDiscovered(provider)) return provider;
  if (isProgram(fields)) return { ...provider, auth: { kind: 'none' } };
  const { origin } = new URL(mcpServerUrl ?? String(fields['url']));
  return { ...provider, http: { baseUrl: origin }, auth: authOf(provider, fields) };
}

/** An MCP server that is a program here, and no address. */
export function isProgram(fields: Reach['fields']): boolean {
  return typeof fields['command'] === 'string';
}

/** @throws DrawbridgeError `permission_denied` where this installation starts no programs */
export function assertProgram(fields: Reach['fields'], allowed: boolean): void {
  if (!isProgram(fields) || allowed) return;
  throw new DrawbridgeError(
    'permission_denied',
    'This installation starts no programs for its accounts. On your own machine, set DRAWBRIDGE_ALLOW_PROGRAMS=1.',
    { field: 'command' },
  );
}

function authOf(provider: Provider, fields: Reach['fields']): Auth {
  const parsed = standing.safeParse(fields['standing']);
  if (!parsed.success) {
    throw new DrawbridgeError('auth_expired', `How to sign in at ${provider.title} is not known any more.`);
  }
  const { data } = parsed;
  if (data.way === 'open') return { kind: 'none' };
  if (data.way === 'token') {
    return bearerIn('token');
  }
  // Written by us alone, when the server's metadata had been held against the rules.
  return data.auth as unknown as OAuth2;
}

function bearerIn(secret: string, header?: string): Auth {
  const place = header === undefined ? { header: 'authorization', prefix: 'Bearer ' } : { header };
  return { kind: 'api-key', secret, place };
}

/** Whether a person gave a bearer in place of signing in. */
export function isPasted(
  { auth }: Pick<Provider, 'auth'>,
  secrets: Readonly<Record<string, string>>,
): boolean {
  return auth.kind === 'oauth2' && auth.pasted !== undefined && (secrets[auth.pasted] ?? '') !== '';
}

/** The client that the server registered for this connection. */
export function appOfConnection(
  fields: Reach['fields'],
  secrets: ReadonlyMap<string, Secret>,
): OAuthApp | undefined {
  const parsed = standing.safeParse(fields['standing']);
  if (!parsed.success || parsed.data.way !== 'oauth') return undefined;
  return { clientId: parsed.data.clientId, clientSecret: secrets.get(clientSecret) };
}

/** What is stored of a way that was found out: fields, and credentials. */
export function standingOf(found: { auth: OAuth2; app: OAuthApp }): {
  fields: Record<string, unknown>;
  secrets: [string, Secret][];
} {
  const { auth, app } = found;
  return {
    fields: { standing: { way: 'oauth', auth, clientId: app.clientId } satisfies Standing },
    secrets: app.clientSecret === undefined ? [] : [[clientSecret, app.clientSecret]],
  };
}
