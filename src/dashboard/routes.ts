// The pages' addresses, for a person who is signed in. Looking changes nothing; each change is a POST that
// carries the session's token, and a decision also the hash that was shown.
import { type Context, Hono } from 'hono';
import { sameText } from '../auth/digest.ts';
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from '../store/store.ts';
import { connectPage } from './accounts.ts';
import { actionPage } from './action.ts';
import { type ConnectPlace, connectRoutes } from './connect-routes.ts';
import type { PageEnv, PageRooms } from './environment.ts';
import { listRoutes } from './list-routes.ts';
import { createPulse, liveEvents } from './live.ts';
import { messagePage } from './message.ts';
import { formattedPart, framedMessage } from './payload.ts';
import { policyRoutes, presenceOf } from './policy-routes.ts';

const idShape = /^[a-z0-9_]{1,64}$/;

/** Addresses that only the floor above knows. */
export interface PagePlace extends ConnectPlace {
  /** Where agents reach `/mcp`. */
  programOrigin(c: Context<PageEnv>): string;
}

/** The pages for a signed-in person. The floor above has judged the origin, found the session and set both. */
export function createPages(rooms: PageRooms, place: PagePlace): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { queue, clock } = rooms;
  const pulse = createPulse(rooms);

  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  function idOf(c: Context<PageEnv>): string {
    const id = c.req.param('id') ?? '';
    if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such action.');
    return id;
  }

  /** The posted fields, once they carry this session's token. */
  async function fieldsOf(c: Context<PageEnv>): Promise<(name: string) => string> {
    const form = await c.req.parseBody();
    const field = (name: string) => {
      const value = form[name];
      return typeof value === 'string' ? value : '';
    };
    if (!sameText(field('csrf'), c.get('session').csrf)) {
      throw new DrawbridgeError(
        'permission_denied',
        'This form belongs to another session, perhaps one from before you signed in. Load the page again and repeat it.',
      );
    }
    return field;
  }

  /** A decision that came too late or for something else: says so, and leads to what stands there now. */
  async function stale(c: Context<PageEnv>, id: string, thrown: unknown): Promise<Response> {
    if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'conflict') throw thrown;
    const text = await messagePage({
      title: 'Not done: this is not what you saw',
      session: c.get('session'),
      text: `${thrown.message} Nothing was decided by this click.`,
      link: { path: `/actions/${id}`, title: 'See it as it stands' },
    });
    return c.html(text, 409);
  }

  // What needs a person stands on each page of theirs.
  pages.use(async (c, next) => {
    if (c.req.method === 'GET' && c.req.path !== '/events') {
      c.set('session', { ...c.get('session'), notices: await rooms.connections.notices(await orgOf(c)) });
    }
    return next();
  });

  pages.route('/', connectRoutes(rooms, place, fieldsOf));
  pages.route('/', policyRoutes(rooms, fieldsOf));

  pages.route('/', listRoutes(rooms, pulse));

  pages.get('/connect', (c) =>
    c.html(connectPage({ session: c.get('session'), mcpUrl: `${place.programOrigin(c)}/mcp` })),
  );

  pages.get('/events', async (c) => liveEvents(c, rooms, await orgOf(c), pulse));

  pages.get('/actions/:id', async (c) => {
    const org = await orgOf(c);
    const action = await queue.get(org, idOf(c));
    const events = await queue.events(org, action.id);
    const signed = await rooms.presence.require(org, action);
    return c.html(actionPage({ action, events, signed, session: c.get('session'), now: clock.now() }));
  });

  // The formatted message in a frame of its own: no script runs there, nothing is loaded, nothing is sent.
  pages.get('/actions/:id/formatted', async (c) => {
    const part = formattedPart(await queue.get(await orgOf(c), idOf(c)));
    if (part === undefined) throw new DrawbridgeError('not_found', 'This action has no formatted message.');
    c.header(
      'Content-Security-Policy',
      "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
    );
    return c.html(framedMessage(part));
  });

  pages.post('/actions/:id/decision', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const verdict = field('verdict');
    if (verdict !== 'approve' && verdict !== 'reject') {
      throw new DrawbridgeError('invalid_request', 'verdict: must be approve or reject.', {
        field: 'verdict',
      });
    }
    const reason = field('reason').trim().slice(0, 500);
    try {
      await queue.decide(await orgOf(c), c.get('session').person, {
        actionId: id,
        verdict,
        hash: field('hash'),
        ...(reason === '' ? {} : { reason }),
        channel: 'page',
        presence: presenceOf(field),
      });
    } catch (thrown) {
      return stale(c, id, thrown);
    }
    if (verdict === 'approve') rooms.wake();
    return c.redirect(`/actions/${id}`, 303);
  });

  pages.post('/actions/:id/settlement', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const happened = field('happened');
    const reason = field('reason').trim().slice(0, 500);
    if ((happened !== 'yes' && happened !== 'no') || reason === '') {
      throw new DrawbridgeError('invalid_request', 'Say what you found, and whether it happened.', {
        field: 'reason',
      });
    }
    try {
      await queue.settle(await orgOf(c), c.get('session').person, {
        actionId: id,
        happened: happened === 'yes',
        reason,
        channel: 'page',
      });
    } catch (thrown) {
      return stale(c, id, thrown);
    }
    return c.redirect(`/actions/${id}`, 303);
  });

  return pages;
}
