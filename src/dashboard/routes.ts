// The pages' addresses, for a person who is signed in, put together.
import { type Context, Hono } from 'hono';
import type { OrgStore } from '../store/store.ts';
import { editRoutes } from './actions/edit-routes.ts';
import { actionRoutes } from './actions/routes.ts';
import { connectPage } from './connections/accounts.ts';
import { type ConnectPlace, connectRoutes } from './connections/routes.ts';
import type { PageEnv, PageRooms } from './environment.ts';
import { listRoutes } from './inbox/routes.ts';
import { memoryRoutes } from './memory/routes.ts';
import { createPulse, liveEvents } from './page/live.ts';
import { policyRoutes } from './policy/routes.ts';
import { fieldsOf } from './requests.ts';

/** Addresses that only the floor above knows. */
export interface PagePlace extends ConnectPlace {
  /** Where agents reach `/mcp`. */
  programOrigin(c: Context<PageEnv>): string;
}

/** The pages for a signed-in person. The floor above has judged the origin, found the session and set both. */
export function createPages(rooms: PageRooms, place: PagePlace): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const pulse = createPulse(rooms);

  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  // What needs a person stands on each page of theirs.
  pages.use(async (c, next) => {
    if (c.req.method === 'GET' && c.req.path !== '/events') {
      c.set('session', { ...c.get('session'), notices: await rooms.connections.notices(await orgOf(c)) });
    }
    return next();
  });

  pages.route('/', connectRoutes(rooms, place, fieldsOf));
  pages.route('/', policyRoutes(rooms, fieldsOf));

  pages.route('/', memoryRoutes(rooms));
  pages.route('/', listRoutes(rooms, pulse));

  pages.get('/connect', (c) =>
    c.html(connectPage({ session: c.get('session'), mcpUrl: `${place.programOrigin(c)}/mcp` })),
  );

  pages.get('/events', async (c) => liveEvents(c, rooms, await orgOf(c), pulse));

  pages.route('/', actionRoutes(rooms));
  pages.route('/', editRoutes(rooms));

  return pages;
}
