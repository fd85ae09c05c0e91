// The addresses of what the org says of itself.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { type Field, fieldsOf } from '../requests.ts';
import { aboutPage, entryPage } from './about-page.ts';

const idShape = /^brn_[a-z0-9]{1,60}$/;

function idOf(c: Context<PageEnv>): string {
  const id = c.req.param('id') ?? '';
  if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such entry.');
  return id;
}

const textOf = (field: Field) => ({
  kind: field('kind'),
  title: field('title'),
  text: field('text').replaceAll('\r\n', '\n'),
});

/** What was wrong with a form, to be said above it with all that was filled in. */
function faultOf(thrown: unknown): string {
  if (thrown instanceof DrawbridgeError && ['invalid_request', 'conflict'].includes(thrown.code))
    return thrown.message;
  throw thrown;
}

export function aboutRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { brain, clock } = rooms;
  const orgOf = (c: Context<PageEnv>) => rooms.orgFor(c.get('session').person.orgId);

  async function show(c: Context<PageEnv>, given?: { field: Field; fault: string }): Promise<string> {
    const entries = await brain.list(await orgOf(c));
    return aboutPage({ session: c.get('session'), entries, given, now: clock.now() });
  }

  async function showEntry(c: Context<PageEnv>, given?: { field: Field; fault: string }): Promise<string> {
    const versions = await brain.history(await orgOf(c), idOf(c));
    return entryPage({ session: c.get('session'), versions, given, now: clock.now() });
  }

  pages.get('/about', async (c) => c.html(await show(c)));
  pages.get('/about/:id', async (c) => c.html(await showEntry(c)));

  pages.post('/about', async (c) => {
    const field = await fieldsOf(c);
    try {
      const { id } = await brain.add(await orgOf(c), c.get('session').person, textOf(field), 'page');
      return c.redirect(`/about#${id}`, 303);
    } catch (thrown) {
      return c.html(await show(c, { field, fault: faultOf(thrown) }), 400);
    }
  });

  pages.post('/about/:id', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    try {
      const change = { id, version: Number(field('version')), text: textOf(field), channel: 'page' };
      await brain.edit(await orgOf(c), c.get('session').person, change);
      return c.redirect(`/about#${id}`, 303);
    } catch (thrown) {
      return c.html(await showEntry(c, { field, fault: faultOf(thrown) }), 400);
    }
  });

  pages.post('/about/:id/remove', async (c) => {
    const id = idOf(c);
    await fieldsOf(c);
    await brain.remove(await orgOf(c), c.get('session').person, id, 'page');
    return c.redirect(`/about/${id}`, 303);
  });

  pages.post('/about/:id/restore', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const version = Number(field('version'));
    await brain.restore(await orgOf(c), c.get('session').person, { id, version, channel: 'page' });
    return c.redirect(`/about/${id}`, 303);
  });

  return pages;
}
