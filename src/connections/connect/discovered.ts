// Connecting to a server that is known only by its address: with a bearer that a person pasted, with nothing
// where it is open, else by the sign-in that it names.
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2, OAuthApp } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import { tokenCall } from '../tokens/token-call.ts';
import { findApp } from './apps.ts';
import type { AuthorizeParts } from './authorize.ts';
import type { Checked } from './given.ts';
import { isProgram, type Standing } from './reached.ts';

/** Of a server that wants a sign-in, where none can be had without a browser. */
export const wantsSignIn = 'authorization';

/**
 * What is stored of an account that needs no sign-in.
 * @throws DrawbridgeError `auth_expired` with the field `authorization` when the server asks for one
 */
export async function openServer(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: Provider,
  given: Checked,
): Promise<Checked> {
  const standing = (way: Standing): Checked => ({ ...given, fields: { ...given.fields, standing: way } });
  if (isProgram(given.fields)) return standing({ way: 'open' });
  if (given.secrets.has('token')) return standing({ way: 'token' });
  const url = serverOf(given.fields);
  const found = await discover(org, parts, provider, { url, redirectUri: undefined });
  if (found === undefined) return standing({ way: 'open' });
  throw new DrawbridgeError('auth_expired', `${url.hostname} asks for a sign-in in the browser.`, {
    field: wantsSignIn,
  });
}

/**
 * How to sign in at `url`; a client is registered there only where `redirectUri` is given.
 * @throws DrawbridgeError as `discoverAuthorization`
 */
export async function discover(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: Provider,
  given: { url: URL; redirectUri: string | undefined },
): Promise<{ auth: OAuth2; app: OAuthApp } | undefined> {
  // Without a redirect nothing is registered: it is only asked whether a sign-in is needed.
  const probe: OAuthApp = { clientId: '', clientSecret: undefined };
  const app = given.redirectUri === undefined ? probe : await appAt(org, parts, provider);
  const call = tokenCall(org, parts, provider, { app: probe, fields: {} });
  // Loaded when it is first needed, with the library that it speaks by.
  const { discoverAuthorization } = await import('../../auth/oauth/discover.ts');
  return discoverAuthorization({
    url: given.url,
    fetch: call.fetch,
    redirectUri: given.redirectUri ?? '',
    app,
  });
}

/** The name of the app that a person registers at the MCP server which a provider declares. */
const appAtServer = (provider: string): string => `${provider}-mcp`;

/** To a server that somebody named goes no app of ours: it would learn the secret, and name its own endpoint for it. */
async function appAt(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: Provider,
): Promise<OAuthApp | undefined> {
  return provider.mcp === undefined ? undefined : findApp(org, parts, appAtServer(provider.id));
}

export function serverOf(fields: Readonly<Record<string, unknown>>): URL {
  return new URL(String(fields['url']));
}
