// The web side of the house: `/mcp` for agents with a key or token, pages for people with a session. Neither opens
// the other's door, and every request passes the guards first.
import { Hono } from 'hono';
import { createKeys } from '../auth/keys.ts';
import { createMembers } from '../auth/members.ts';
import type { Hosted } from '../auth/oidc/hosted.ts';
import type { Agent } from '../auth/principal.ts';
import { createSignIn } from '../auth/sign-in.ts';
import type { Config } from '../config.ts';
import { asset, isAsset } from '../dashboard/assets.ts';
import type { PageEnv, PageRooms } from '../dashboard/environment.ts';
import { createPages } from '../dashboard/routes.ts';
import { toDrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { seenBy } from '../memory/documents/seen-by.ts';
import type { Store } from '../store/store.ts';
import { agentOrRefusal, protectedResource } from './agents.ts';
import { refusal, statusFor } from './answers.ts';
import { bodyGuard, hostGuard, originGuard, securityHeaders } from './guards.ts';
import { hostedSignInRoutes } from './hosted-sign-in.ts';
import { connectPlace, integrationRoutes, integrationsPath } from './integrations.ts';
import { maxBody } from './mcp.ts';
import { findLocalName, localOrigin } from './origin.ts';
import { requireSession, signInRoutes } from './sessions.ts';

export interface HttpRooms extends Omit<PageRooms, 'members' | 'orgSeenBy'> {
  config: Pick<Config, 'publicUrl' | 'sandboxUrl'>;
  store: Store;
  /** Sign-in at an issuer, for people and agents; undefined in local mode. */
  hosted?: Hosted | undefined;
}

export interface HttpAppOptions {
  rooms: HttpRooms;
  /** Answers an agent that has shown its key or token. */
  mcp: (request: Request, agent: Agent) => Promise<Response>;
  log: Log;
}

export function createHttpApp({ rooms, mcp, log }: HttpAppOptions): Hono<PageEnv> {
  const { store, clock, config, hosted } = rooms;
  const { publicUrl, sandboxUrl } = config;
  const keys = createKeys({ store, clock, log });
  const signIn = createSignIn({ store, clock });
  const members = createMembers({ store, clock });
  const pageRooms: PageRooms = {
    ...rooms,
    members: (orgId) => members.list(orgId),
    orgSeenBy: async (person) => seenBy(store, await rooms.orgFor(person.orgId), person),
  };
  const app = new Hono<PageEnv>();

  app.use(securityHeaders);
  app.use(hostGuard(publicUrl));
  app.use(originGuard);

  app.onError((thrown, c) => {
    const error = toDrawbridgeError(thrown);
    if (error.code === 'internal') log.error({ err: thrown, path: c.req.path }, 'request failed');
    return refusal(c, statusFor(error.code), error.message, error);
  });
  app.notFound((c) => refusal(c, 404, 'There is no such page.'));

  // For the container's health check: alive or not, and nothing else.
  app.get('/healthz', async (c) => {
    await store.control.now();
    return c.text('ok');
  });

  app.get('/assets/:hash/:name', (c) => {
    const name = c.req.param('name');
    if (!isAsset(name)) return c.notFound();
    const { body, type, path } = asset(name);
    if (c.req.path !== path) return c.notFound();
    return c.body(body, 200, {
      'Content-Type': type,
      'Cache-Control': 'public, max-age=31536000, immutable',
    });
  });

  // Asked for by browsers on pages that name no icon.
  app.get('/favicon.ico', (c) => c.redirect(asset('icon.svg').path, 302));

  app.all('/mcp', bodyGuard(maxBody), async (c) => {
    const agent = await agentOrRefusal(c, { keys, hosted });
    return agent instanceof Response ? agent : mcp(c.req.raw, agent);
  });

  app.use(bodyGuard());
  if (hosted !== undefined) {
    app.route('/', protectedResource(hosted));
    app.route('/', hostedSignInRoutes({ hosted, signIn, sandboxUrl, log }));
  }
  app.route('/', signInRoutes(signIn));
  app.route(
    integrationsPath,
    integrationRoutes({ rooms: pageRooms, signIn, keys, publicUrl, sandboxUrl, localPages: localPages() }),
  );
  app.use(requireSession(signIn, hosted));
  app.route(
    '/',
    createPages(pageRooms, {
      // Programs ask the system's resolver, which may not know the pages' name.
      programOrigin: (c) =>
        (publicUrl ?? `http://127.0.0.1:${c.env.incoming.socket.localPort}`).replace(/\/$/, ''),
      ...connectPlace({ publicUrl, sandboxUrl }),
    }),
  );
  return app;
}

/** Where the local pages have their cookies; the machine is asked once. */
function localPages(): (port: number | undefined) => Promise<string> {
  let name: Promise<string> | undefined;
  return async (port) => {
    name ??= findLocalName().then((pages) => pages.name);
    return localOrigin(port ?? 80, await name);
  };
}
