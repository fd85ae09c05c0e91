// By which sign-in an account is reached in a browser, and as which app: as the provider declares it, or as the server
// itself names it.
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2, OAuthApp } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import { Secret } from '../../secret.ts';
import type { OrgStore } from '../../store/store.ts';
import type { AuthorizationStart } from '../connections.ts';
import { type AppParts, appOf } from './apps.ts';
import type { AuthorizeParts } from './authorize.ts';
import { discover, serverOf } from './discovered.ts';
import { standingOf } from './reached.ts';

export type OAuthProvider = Provider & { auth: OAuth2 };

export function throughBrowser(provider: Provider): OAuthProvider {
  if (provider.auth.kind === 'oauth2') return provider as OAuthProvider;
  throw new DrawbridgeError(
    'invalid_request',
    `${provider.title} is connected by a form, not at the provider.`,
    { field: 'provider' },
  );
}

/** The way in that the provider declares, with the app that is registered there. */
export async function declaredWay(
  org: OrgStore,
  parts: AppParts,
  provider: Provider,
): Promise<{ auth: OAuth2; app: OAuthApp; found?: undefined }> {
  const { auth } = throughBrowser(provider);
  return { auth, app: await registered(org, parts, provider, { fields: {}, secrets: {} }) };
}

/** The way in that the server names, where it has just registered us. */
export async function findWay(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: Provider,
  start: Pick<AuthorizationStart, 'via' | 'redirectUri'> & { fields: Readonly<Record<string, unknown>> },
): Promise<{ auth: OAuth2; app: OAuthApp; found: ReturnType<typeof standingOf> }> {
  const url =
    start.via === 'mcp' && provider.mcp !== undefined ? new URL(provider.mcp.url) : serverOf(start.fields);
  const way = await discover(org, parts, provider, { url, redirectUri: start.redirectUri });
  if (way === undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      `${url.hostname} asks for no sign-in: connect it without one.`,
      {
        field: 'provider',
      },
    );
  }
  const found = standingOf(way);
  return { ...way, found: { ...found, fields: { ...found.fields, url: url.href } } };
}

export async function registered(
  org: OrgStore,
  parts: AppParts,
  provider: Provider,
  given: { fields: Readonly<Record<string, unknown>>; secrets: Readonly<Record<string, string>> },
): Promise<OAuthApp> {
  const { auth } = throughBrowser(provider);
  const app = await appOf(org, parts, auth, {
    fields: given.fields,
    secrets: async () => secretsOf(given.secrets),
  });
  if (app !== undefined) return app;
  throw new DrawbridgeError(
    'not_found',
    `${provider.title} is not configured: its app "${auth.app}" is not registered here yet.`,
    { retry: 'ask', field: 'app' },
  );
}

function secretsOf(given: Readonly<Record<string, string>>): Map<string, Secret> {
  return new Map(Object.entries(given).map(([name, value]) => [name, new Secret(value)]));
}
