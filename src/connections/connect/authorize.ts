// Connecting in a browser: the address at the provider, under a state that its way back spends.
import type { OAuth } from '../../auth/oauth/oauth.ts';
import type { Person } from '../../auth/principal.ts';
import type { Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import type { Log } from '../../log.ts';
import type { OAuth2, TokenAnswer, TokenCall } from '../../providers/auth.ts';
import type { Provider, ProviderContext } from '../../providers/define.ts';
import { Secret } from '../../secret.ts';
import type { Handle, OrgStore } from '../../store/store.ts';
import type { ControlTables } from '../../store/tables.ts';
import type { AuthorizationStart } from '../connections.ts';
import type { Plan } from '../plan.ts';
import type { Recorder } from '../states.ts';
import type { AppParts } from './apps.ts';
import { checkGiven } from './given.ts';
import { isDiscovered } from './reached.ts';
import { consentScopes } from './scopes.ts';
import { type AuthorizationRequest, authorizationLivesMs, beginAuthorization } from './state.ts';
import { begin } from './unfinished.ts';
import { declaredWay, findWay } from './way-in.ts';

export interface AuthorizeParts extends AppParts, Recorder {
  control: Handle<ControlTables>;
  /** Loaded when it is first needed. */
  oauth(): Promise<OAuth>;
  egress: Egress;
  log: Log;
  plan: Plan;
  /** Fields of the installation. */
  defaults(provider: string): Record<string, string>;
  /** Ends a grant that came for nothing. */
  giveBack(org: OrgStore, grant: TokenCall & { auth: OAuth2 }, answer: TokenAnswer): Promise<void>;
  /** A context of the account that is being connected. */
  context(
    org: OrgStore,
    provider: Provider,
    given: { fields: Readonly<Record<string, unknown>>; secrets: ReadonlyMap<string, Secret> },
  ): ProviderContext;
}

/** @throws DrawbridgeError as `Connections.authorize` says */
export async function authorize(
  org: OrgStore,
  parts: AuthorizeParts,
  person: Person,
  provider: Provider,
  start: AuthorizationStart,
): Promise<{ url: string; expiresAt: number }> {
  const at = parts.clock.now();
  if (start.via === 'mcp' && provider.mcp === undefined) {
    throw new DrawbridgeError('invalid_request', `${provider.title} has no MCP server of its own.`, {
      field: 'via',
    });
  }
  const given = { fields: start.fields, secrets: start.secrets ?? {} };
  const checked = checkGiven(provider, given, parts.defaults(provider.id));
  const way = isDiscovered(provider)
    ? await findWay(org, parts, provider, { ...start, fields: checked.fields })
    : await declaredWay(org, parts, provider);
  const { auth, app, found } = way;
  const fields = { ...checked.fields, ...found?.fields };
  const secrets = new Map([...checked.secrets, ...(found?.secrets ?? [])]);
  const codeVerifier = new Secret(newToken(32));
  const scopes = found === undefined ? consentScopes(provider, start.access) : [...auth.scopes];
  const connectionId = await begin(org, parts, provider, { reconnect: start.reconnect, at });
  const request: AuthorizationRequest = {
    connectionId,
    reconnect: start.reconnect !== undefined,
    fields,
    secrets: Object.fromEntries([...secrets].map(([name, secret]) => [name, secret.reveal()])),
    scopes,
    access: start.access,
    ...(start.via === 'mcp' && provider.mcp !== undefined ? { mcpServerUrl: provider.mcp.url } : {}),
    redirectUri: start.redirectUri,
    codeVerifier: codeVerifier.reveal(),
  };
  const { browser } = start;
  const state = await beginAuthorization(org, parts, { person, browser, provider: provider.id, request, at });
  const oauth = await parts.oauth();
  const url = await oauth.authorizationUrl({
    auth,
    app,
    fields,
    scopes,
    redirectUri: start.redirectUri,
    state,
    codeVerifier,
  });
  return { url: url.href, expiresAt: at + authorizationLivesMs };
}
