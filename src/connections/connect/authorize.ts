// Connecting in a browser: the address at the provider, and the way back from it. Tokens are stored when it
// is known whose they are, and only for the account that was meant.
import type { OAuth } from '../../auth/oauth/oauth.ts';
import type { Person } from '../../auth/principal.ts';
import type { Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId, newToken } from '../../ids.ts';
import type { Log } from '../../log.ts';
import type { OAuth2, OAuthApp, TokenAnswer, TokenCall } from '../../providers/auth.ts';
import type { Provider, ProviderContext } from '../../providers/define.ts';
import { registerSecret, Secret } from '../../secret.ts';
import type { Handle, OrgStore } from '../../store/store.ts';
import type { ControlTables } from '../../store/tables.ts';
import type { AuthorizationStart } from '../connections.ts';
import { assertPlace, type Plan, readAllowance } from '../plan.ts';
import { isUnfinished, rowById, unfinishedAccount, unfinishedRows, waitingRow } from '../rows.ts';
import { move, type Recorder } from '../states.ts';
import { agesOf, tokenSecrets } from '../tokens/grant.ts';
import { tokenCall } from '../tokens/token-call.ts';
import { type AppParts, appOf } from './apps.ts';
import { insertPending, remove, storeConnection } from './connect.ts';
import { discover, serverOf } from './discovered.ts';
import { checkGiven } from './given.ts';
import { isDiscovered, reachedBy, standingOf } from './reached.ts';
import { consentScopes } from './scopes.ts';
import {
  type AuthorizationRequest,
  authorizationLivesMs,
  beginAuthorization,
  spendAuthorization,
} from './state.ts';

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

type OAuthProvider = Provider & { auth: OAuth2 };

/** What a person had chosen and typed for an authorization; no credentials. */
export interface Begun {
  access: 'read' | 'write';
  via: 'api' | 'mcp';
  /** The connection that was to be connected again. */
  account: string | undefined;
  fields: Readonly<Record<string, string>>;
}

/** An authorization that ended without an account, with what it takes to begin it again. */
export class NotAuthorized extends DrawbridgeError {
  readonly begun: Begun;

  constructor(error: DrawbridgeError, begun: Begun) {
    const { retry, retryAfterMs, field } = error;
    super(error.code, error.message, {
      retry,
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(field === undefined ? {} : { field }),
    });
    this.begun = begun;
  }
}

function begunBy(request: AuthorizationRequest): Begun {
  const { access, mcpServerUrl, reconnect, connectionId } = request;
  return {
    access,
    via: mcpServerUrl === undefined ? 'api' : 'mcp',
    account: reconnect ? connectionId : undefined,
    fields: Object.fromEntries(
      Object.entries(request.fields).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ),
  };
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

/** @throws DrawbridgeError as `Connections.authorized` says. Returns the connection's id. */
export async function authorized(
  org: OrgStore,
  parts: AuthorizeParts,
  person: Person,
  { declared, over }: { declared: Provider; over(): Promise<Provider> },
  back: { callback: URL; browser: Secret | undefined },
): Promise<string> {
  const { searchParams } = back.callback;
  // A provider may repeat it in a refusal, and a refusal is logged.
  registerSecret(searchParams.get('code') ?? '');
  const request = await spendAuthorization(org, parts, {
    person,
    browser: back.browser,
    provider: declared.id,
    state: searchParams.get('state'),
    at: parts.clock.now(),
  });
  try {
    const provider = request.mcpServerUrl === undefined ? declared : await over();
    return await finish(org, parts, throughBrowser(reachedBy(provider, request)), request, back.callback);
  } catch (thrown) {
    const reason = thrown instanceof DrawbridgeError ? thrown.code : 'internal';
    await abandon(org, parts, request.connectionId, {
      reason: `not finished: ${reason}`,
      at: parts.clock.now(),
    });
    if (thrown instanceof DrawbridgeError) throw new NotAuthorized(thrown, begunBy(request));
    throw thrown;
  }
}

async function finish(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: OAuthProvider,
  request: AuthorizationRequest,
  callback: URL,
): Promise<string> {
  const { auth } = provider;
  const app = await registered(org, parts, provider, request);
  const fromCallback = learn(provider, 'callback', (name) => callback.searchParams.get(name));
  const call = tokenCall(org, parts, provider, { app, fields: { ...request.fields, ...fromCallback } });
  const oauth = await parts.oauth();
  const answer = await oauth.exchange(
    { auth, ...call },
    { callback, redirectUri: request.redirectUri, codeVerifier: new Secret(request.codeVerifier) },
  );
  try {
    return await store(org, parts, provider, request, { answer, fromCallback });
  } catch (thrown) {
    // Nothing was connected, so nothing may stay behind at the provider either.
    await parts.giveBack(org, { auth, ...call }, answer);
    throw thrown;
  }
}

/** Asks whose account it is, and stores it. */
async function store(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: OAuthProvider,
  request: AuthorizationRequest,
  { answer, fromCallback }: { answer: TokenAnswer; fromCallback: Record<string, string> },
): Promise<string> {
  const ages = agesOf(provider.auth, answer, { asked: request.scopes, at: parts.clock.now() });
  const known = { ...request.fields, ...fromCallback, ...fromAnswer(provider, answer) };
  const secrets = new Map([
    ...Object.entries(request.secrets).map(([name, value]): [string, Secret] => [name, new Secret(value)]),
    ...tokenSecrets(answer),
  ]);
  const probed = (await provider.probe?.(parts.context(org, provider, { fields: known, secrets }))) ?? {};
  const fields = { ...known, ...probed };
  const missing = Object.keys(provider.learned ?? {}).find((name) => fields[name] === undefined);
  if (missing !== undefined) {
    throw new DrawbridgeError('malformed_response', `${provider.title} did not say its ${missing}.`);
  }
  const who = await provider.identity(parts.context(org, provider, { fields, secrets }));
  await assertMeant(org, provider, request, who);
  return storeConnection(org, parts, {
    provider: provider.id,
    account: who.id,
    label: who.label,
    fields,
    secrets,
    mcpServerUrl: request.mcpServerUrl,
    access: request.access,
    authorised: { connectionId: request.connectionId, ages },
  });
}

/** Another account than the one that was meant is said, and never put in its place. */
async function assertMeant(
  org: OrgStore,
  provider: Provider,
  request: AuthorizationRequest,
  who: { id: string; label: string },
): Promise<void> {
  if (!request.reconnect) return;
  const meant = await org.read((db) => rowById(db, org.orgId, request.connectionId));
  if (meant === undefined) {
    throw new DrawbridgeError('conflict', 'The account was disconnected meanwhile. Nothing was connected.');
  }
  if (meant.account === who.id) return;
  throw new DrawbridgeError(
    'conflict',
    `${meant.label} was to be connected again, but ${provider.title} signed in ${who.label}. Nothing was changed. Sign in as ${meant.label} there, or connect ${who.label} as an account of its own.`,
    { retry: 'ask', field: 'account' },
  );
}

/** The row that waits for the person: the connection that is authorised anew, or one without an account yet. */
async function begin(
  org: OrgStore,
  parts: AuthorizeParts,
  provider: Provider,
  given: { reconnect: string | undefined; at: number },
): Promise<string> {
  const { reconnect, at } = given;
  await sweepUnfinished(org, { audit: parts.audit }, at);
  return org.write(async (tx) => {
    const step = { orgId: org.orgId, at };
    if (reconnect !== undefined) {
      const row = await rowById(tx, org.orgId, reconnect);
      if (row === undefined || row.provider !== provider.id || isUnfinished(row)) {
        throw new DrawbridgeError('not_found', `There is no such account of ${provider.title}.`, {
          field: 'account',
        });
      }
      // What still works goes on working until the person is back.
      if (row.state === 'EXPIRED') {
        const reason = 'a person authorises it again';
        await move(parts, tx, { ...step, id: row.id, from: 'EXPIRED', to: 'AUTHORIZING', reason });
      }
      return row.id;
    }
    const another = await tx
      .selectFrom('connected_sources')
      .select('id')
      .where('org_id', '=', org.orgId)
      .where('provider', '=', provider.id)
      .where('account', 'not like', 'unfinished:%')
      .where('state', 'not in', ['REVOKED', 'DELETED'])
      .executeTakeFirst();
    // Where the provider has an account already it may be the same one again, which takes no place.
    if (another === undefined) assertPlace(await readAllowance(tx, org.orgId, parts.plan));
    // Who begins again has left the beginning before: one waits for both, whichever way back is taken.
    const left = await waitingRow(tx, org.orgId, provider.id);
    if (left !== undefined) {
      await tx
        .updateTable('connected_sources')
        .set({ updated_at: at })
        .where('org_id', '=', org.orgId)
        .where('id', '=', left.id)
        .execute();
      return left.id;
    }
    const id = newId('con', at);
    const label = `${provider.title}, not finished`;
    await insertPending(parts, tx, {
      ...step,
      id,
      provider: provider.id,
      account: unfinishedAccount(id),
      label,
      fields: {},
    });
    const reason = 'a person is at the provider';
    await move(parts, tx, { ...step, id, from: 'PENDING', to: 'AUTHORIZING', reason });
    return id;
  });
}

/** Takes back what was begun: the beginning goes, the connection that expired has expired. */
async function abandon(
  org: OrgStore,
  recorder: Recorder,
  id: string,
  { reason, at }: { reason: string; at: number },
): Promise<void> {
  await org.write(async (tx) => {
    const row = await rowById(tx, org.orgId, id);
    if (row?.state !== 'AUTHORIZING') return;
    const step = { orgId: org.orgId, id, reason, at };
    if (isUnfinished(row)) await remove(recorder, tx, step, row.state);
    else await move(recorder, tx, { ...step, from: 'AUTHORIZING', to: 'EXPIRED' });
  });
}

/** Ends authorizations that nobody came back from in time. */
export async function sweepUnfinished(org: OrgStore, recorder: Recorder, at: number): Promise<void> {
  const left = await org.read((db) => unfinishedRows(db, org.orgId, at - authorizationLivesMs));
  for (const { id } of left)
    await abandon(org, recorder, id, { reason: 'nobody came back from the provider', at });
}

function throughBrowser(provider: Provider): OAuthProvider {
  if (provider.auth.kind === 'oauth2') return provider as OAuthProvider;
  throw new DrawbridgeError(
    'invalid_request',
    `${provider.title} is connected by a form, not at the provider.`,
    { field: 'provider' },
  );
}

/** The way in that the provider declares, with the app that is registered there. */
async function declaredWay(
  org: OrgStore,
  parts: AppParts,
  provider: Provider,
): Promise<{ auth: OAuth2; app: OAuthApp; found?: undefined }> {
  const { auth } = throughBrowser(provider);
  return { auth, app: await registered(org, parts, provider, { fields: {}, secrets: {} }) };
}

/** The way in that the server names, where it has just registered us. */
async function findWay(
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

async function registered(
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

function learn(
  provider: Provider,
  from: 'callback' | 'token',
  read: (name: string) => unknown,
): Record<string, string> {
  const learned: Record<string, string> = {};
  for (const [name, field] of Object.entries(provider.learned ?? {})) {
    if (field.from !== from) continue;
    const value = read(field.as ?? name);
    const told = typeof value === 'number' ? String(value) : value;
    const text = typeof told === 'string' && told !== '' ? told : undefined;
    const kept = field.read === undefined ? text : field.read(text);
    if (kept !== undefined) learned[name] = kept;
  }
  return learned;
}

function fromAnswer(provider: Provider, answer: TokenAnswer): Record<string, string> {
  return learn(provider, 'token', (name) => answer.rest[name]);
}
