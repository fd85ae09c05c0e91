// The addresses of outputs: what each was informed by. They only show.
import { Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { outputPage, outputsPage } from './output-page.ts';

const idShape = /^[A-Za-z0-9_-]{1,64}$/;
const listed = 200;

export function outputRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { receipts, clock } = rooms;

  pages.get('/outputs', async (c) => {
    const session = c.get('session');
    const outputs = await receipts.outputs(await rooms.orgSeenBy(session.person), listed);
    return c.html(await outputsPage({ session, outputs, now: clock.now() }));
  });

  pages.get('/outputs/:id', async (c) => {
    const session = c.get('session');
    const id = c.req.param('id');
    if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such output.');
    const output = await receipts.informedBy(await rooms.orgSeenBy(session.person), id);
    return c.html(await outputPage({ session, output, now: clock.now() }));
  });

  return pages;
}
