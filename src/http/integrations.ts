// `/api/v1/integrations`: what is connected, the way to a provider and back, and disconnecting. A person with
// a session does all of it; a key may look, and is given the link for its person.

import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { sameText } from '../auth/digest.ts';
import type { Keys } from '../auth/keys.ts';
import { makerOf } from '../auth/record-change.ts';
import type { SignIn } from '../auth/sign-in.ts';
import { wantsSignIn } from '../connections/connect/discovered.ts';
import { authorizationLivesMs, browserToken, newBrowserToken } from '../connections/connect/state.ts';
import type { Connection } from '../connections/connections.ts';
import { connectionEvents } from '../dashboard/connections/connection-events.ts';
import type { ConnectPlace } from '../dashboard/connections/routes.ts';
import type { PageEnv, PageRooms } from '../dashboard/environment.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { iso } from '../time.ts';
import { refusal } from './answers.ts';
import { callbackFault, connectFault, signedOut, step } from './callback-pages.ts';
import { type Asked, readAsked } from './connect-request.ts';
import { sessionToken } from './sessions.ts';

export const integrationsPath = '/api/v1/integrations';
const idShape = /^[a-z0-9_-]{1,64}$/;

export interface IntegrationParts {
  rooms: PageRooms;
  signIn: SignIn;
  keys: Keys;
  /** Undefined: the pages are local ones. */
  publicUrl: string | undefined;
  /** The sandbox that plays the providers, if one does. */
  sandboxUrl: string | undefined;
  /** Where the local pages have their cookies. */
  localPages(port: number | undefined): Promise<string>;
}

export function integrationRoutes(parts: IntegrationParts): Hono<PageEnv> {
  const { rooms, signIn, keys } = parts;
  const routes = new Hono<PageEnv>();
  const orgOf = (c: Context<PageEnv>) => rooms.orgFor(c.get('agent')?.orgId ?? c.get('session').person.orgId);

  routes.get('/:provider/callback', async (c) => comeBack(c, parts));

  routes.use(admit(signIn, keys));

  routes.get('/', async (c) => {
    if (c.get('agent')?.scopes.includes('read') === false) return refusal(c, 403, 'This key may not read.');
    const org = await orgOf(c);
    const [connections, providers, notices] = await Promise.all([
      rooms.connections.list(org),
      rooms.connections.offers(org),
      rooms.connections.notices(org),
    ]);
    return c.json({ connections: connections.map(shown), providers, notices });
  });

  routes.get('/events', async (c) => {
    if (c.get('agent')?.scopes.includes('read') === false) return refusal(c, 403, 'This key may not read.');
    return connectionEvents(c, rooms, await orgOf(c));
  });

  routes.post('/:provider/connect', async (c) => {
    const provider = idOf(c, 'provider');
    if (c.get('agent') !== undefined) {
      const offers = await rooms.connections.offers(await orgOf(c));
      if (!offers.some(({ id }) => id === provider)) return refusal(c, 404, `There is no ${provider}.`);
      return c.json({
        connectUrl: rooms.pageUrl(`/connect/${provider}`),
        message: 'A key cannot consent: a signed-in person opens this page and agrees.',
      });
    }
    const asked = await readAsked(c);
    try {
      return await begin(c, parts, provider, asked);
    } catch (thrown) {
      return connectFault(c, rooms, connectPlace(parts), { provider, asked, thrown });
    }
  });

  routes.delete('/:id', async (c) => {
    if (c.get('agent') !== undefined) {
      return refusal(c, 403, 'A key cannot disconnect an account: a signed-in person does that.');
    }
    if (!sameText(c.req.header('x-csrf-token') ?? '', c.get('session').csrf)) {
      return refusal(c, 403, 'The header X-CSRF-Token does not belong to this session.');
    }
    const mover = { by: makerOf(c.get('session').person), channel: 'page' };
    return c.json(await rooms.connections.disconnect(await orgOf(c), idOf(c, 'id'), mover));
  });

  return routes;
}

/** A person's session, or an agent's key where one is shown; nobody else. */
function admit(signIn: SignIn, keys: Keys): MiddlewareHandler<PageEnv> {
  return async (c, next) => {
    const header = c.req.header('authorization');
    if (header !== undefined) {
      const agent = await keys.verify(header);
      if (agent === undefined) return refusal(c, 401, 'The key is not known or was revoked.');
      c.set('agent', agent);
      return next();
    }
    const session = await signIn.session(sessionToken(c));
    if (session === undefined) return refusal(c, 401, 'Sign in first: drawbridge open');
    c.set('session', session);
    return next();
  };
}

/** Exactly this one is registered at the provider. Providers admit `localhost` in clear, and no other local name. */
function redirectUri(
  c: Context<PageEnv>,
  parts: Pick<IntegrationParts, 'publicUrl'>,
  provider: string,
): string {
  const origin = parts.publicUrl ?? `http://localhost:${c.env.incoming.socket.localPort}`;
  return `${origin.replace(/\/$/, '')}${integrationsPath}/${provider}/callback`;
}

/** What the pages must know of the way to a provider and back. */
export function connectPlace(parts: Pick<IntegrationParts, 'publicUrl' | 'sandboxUrl'>): ConnectPlace {
  return {
    redirectUrl: (c, provider) => redirectUri(c, parts, provider),
    isShared: parts.publicUrl !== undefined,
    // A provider that asks nothing sends the browser straight back.
    leadsTo: (c) => [
      new URL(redirectUri(c, parts, 'any')).origin,
      ...(parts.sandboxUrl === undefined ? [] : [new URL(parts.sandboxUrl).origin]),
    ],
  };
}

/** To the provider, or straight to the account where a form is all that it takes. */
async function begin(
  c: Context<PageEnv>,
  parts: IntegrationParts,
  provider: string,
  asked: Asked,
): Promise<Response> {
  const { rooms } = parts;
  const { person } = c.get('session');
  const org = await rooms.orgFor(person.orgId);
  const form = await rooms.connections.form(provider);
  if (form.consent === undefined || (asked.secrets[form.pasted ?? ''] ?? '') !== '') {
    const mover = { by: makerOf(person), channel: 'page' };
    const made = await rooms.connections.connect(org, provider, asked, mover).catch((thrown: unknown) => {
      if (form.discovers && thrown instanceof DrawbridgeError && thrown.field === wantsSignIn)
        return undefined;
      throw thrown;
    });
    if (made !== undefined) {
      rooms.refresh(org, made.id);
      return asked.json ? c.json(shown(made), 201) : c.redirect(`/connections?connected=${made.id}`, 303);
    }
  }
  const browser = bindBrowser(c);
  const { url, expiresAt } = await rooms.connections.authorize(org, person, {
    provider,
    fields: asked.fields,
    secrets: asked.secrets,
    access: asked.access,
    via: asked.via,
    reconnect: asked.account,
    redirectUri: redirectUri(c, parts, provider),
    browser,
  });
  const address = throughSandbox(url, parts.sandboxUrl);
  return asked.json
    ? c.json({ authorizationUrl: address, expiresAt: iso(expiresAt) })
    : c.redirect(address, 303);
}

/** The way back. Nothing is spent before it is known who stands there, in which browser. */
async function comeBack(c: Context<PageEnv>, parts: IntegrationParts): Promise<Response> {
  const { rooms, signIn } = parts;
  const provider = idOf(c, 'provider');
  const session = await signIn.session(sessionToken(c));
  const browser = browserToken(getCookie(c, bindingName(c.get('secure'))));
  const url = new URL(c.req.url);
  const stepped = url.searchParams.has(stepMark);
  url.searchParams.delete(stepMark);
  const path = `${url.pathname}${url.search}`;
  if (session === undefined || browser === undefined) {
    // The provider sent the browser to localhost; the cookies live under the pages' own name.
    const pages =
      parts.publicUrl === undefined ? await parts.localPages(c.env.incoming.socket.localPort) : '';
    if (new URL(c.get('origin')).hostname === 'localhost' && pages !== '' && pages !== c.get('origin')) {
      return c.redirect(`${pages}${path}`, 303);
    }
  }
  if (session === undefined) {
    // A strict cookie stays behind on the way from another site; one step within our own brings it.
    const next = `${path}${url.search === '' ? '?' : '&'}${stepMark}=1`;
    return stepped ? signedOut(c, provider) : step(c, next);
  }
  const callback = new URL(path, redirectUri(c, parts, provider));
  const org = await rooms.orgFor(session.person.orgId);
  c.set('session', session);
  try {
    const made = await rooms.connections.authorized(org, session.person, { provider, callback, browser });
    rooms.refresh(org, made.id);
    return c.redirect(`/connections?connected=${made.id}`, 303);
  } catch (thrown) {
    return callbackFault(c, rooms, { provider, thrown });
  }
}

const stepMark = 'drawbridge_step';

/** One value a browser: several authorizations at once may be under way in it. */
function bindBrowser(c: Context<PageEnv>): Secret {
  const secure = c.get('secure');
  const browser = browserToken(getCookie(c, bindingName(secure))) ?? newBrowserToken();
  setCookie(c, bindingName(secure), browser.reveal(), {
    httpOnly: true,
    // The provider sends the browser here from another site.
    sameSite: 'Lax',
    path: integrationsPath,
    maxAge: authorizationLivesMs / 1_000,
    secure,
  });
  return browser;
}

function bindingName(secure: boolean): string {
  return secure ? '__Secure-drawbridge-connect' : 'drawbridge-connect';
}

/** Where a browser finds what the sandbox plays: its own calls go there through the door. */
function throughSandbox(url: string, sandboxUrl: string | undefined): string {
  if (sandboxUrl === undefined) return url;
  const { host, pathname, search } = new URL(url);
  return `${sandboxUrl}/${host}${pathname}${search}`;
}

function idOf(c: Context<PageEnv>, name: 'provider' | 'id'): string {
  const id = c.req.param(name) ?? '';
  if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is nothing of that name.');
  return id;
}

function shown(connection: Connection) {
  const { id, provider, providerTitle, account, label, state, capabilities, feedKinds, scopes } = connection;
  const { lastSyncAt, lastError, createdAt, mcpServerUrl } = connection;
  return {
    id,
    provider,
    providerTitle,
    account,
    label,
    state,
    capabilities,
    feedKinds,
    scopes: scopes ?? null,
    via: mcpServerUrl === undefined ? 'api' : 'mcp',
    lastSyncAt: lastSyncAt === undefined ? null : iso(lastSyncAt),
    lastError: lastError === undefined ? null : { ...lastError, at: iso(lastError.at) },
    createdAt: iso(createdAt),
  };
}
