// The way back from a provider: tokens are stored when it is known whose they are, and only for the account
// that was meant. What ends without an account says what it takes to begin again.
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { TokenAnswer } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import { registerSecret, Secret } from '../../secret.ts';
import type { OrgStore } from '../../store/store.ts';
import { rowById } from '../rows.ts';
import { agesOf, tokenSecrets } from '../tokens/grant.ts';
import { tokenCall } from '../tokens/token-call.ts';
import type { AuthorizeParts } from './authorize.ts';
import { storeConnection } from './connect.ts';
import { reachedBy } from './reached.ts';
import { type AuthorizationRequest, spendAuthorization } from './state.ts';
import { abandon } from './unfinished.ts';
import { type OAuthProvider, registered, throughBrowser } from './way-in.ts';

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
