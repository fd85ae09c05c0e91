// The addresses of clients. Looking changes nothing; each decision is a POST with the session's token.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import { clientsCalled, listClients } from '../../memory/clients/clients.ts';
import { readProfile } from '../../memory/clients/profile.ts';
import { readDocument } from '../../memory/documents/documents.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { fieldsOf } from '../requests.ts';
import { clientPage, recordPage } from './client-page.ts';
import { clientsPage } from './clients-page.ts';

const idShape = /^[a-z0-9_]{1,64}$/;
const listed = 100;
const channel = 'page';

function idOf(c: Context<PageEnv>, name = 'id'): string {
  const id = c.req.param(name) ?? '';
  if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such client.');
  return id;
}

/** What is said above the page: what a person can mend. */
function faultOf(thrown: unknown): string {
  if (thrown instanceof DrawbridgeError && ['invalid_request', 'conflict', 'not_found'].includes(thrown.code))
    return thrown.message;
  throw thrown;
}

export function clientRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { clientBook, clock } = rooms;
  const seen = (c: Context<PageEnv>) => rooms.orgSeenBy(c.get('session').person);

  async function showAll(c: Context<PageEnv>, fault?: string): Promise<string> {
    const org = await seen(c);
    const words = (c.req.query('q') ?? '').trim().slice(0, 200);
    return clientsPage({
      session: c.get('session'),
      words,
      clients: await listClients(org, { ...(words === '' ? {} : { words }), limit: listed }),
      proposals: await clientBook.merges(org, { limit: 20 }),
      fault,
      now: clock.now(),
    });
  }

  async function show(c: Context<PageEnv>, id: string, fault?: string): Promise<string> {
    const org = await seen(c);
    const profile = await readProfile(org, clock, id);
    const merges = await clientBook.merges(org, { client: id, limit: 30 });
    return clientPage({ session: c.get('session'), profile, merges, fault, now: clock.now() });
  }

  /** Does what a form asks; what it cannot do is said on the page, with nothing changed. */
  async function change(
    c: Context<PageEnv>,
    id: string,
    work: () => Promise<string | undefined>,
  ): Promise<Response> {
    try {
      return c.redirect(`/clients/${(await work()) ?? id}`, 303);
    } catch (thrown) {
      return c.html(await show(c, id, faultOf(thrown)), 400);
    }
  }

  pages.get('/clients', async (c) => c.html(await showAll(c)));

  pages.get('/clients/documents/:id', async (c) => {
    const document = await readDocument(await seen(c), idOf(c));
    const [from, to] = [Number(c.req.query('from') ?? Number.NaN), Number(c.req.query('to') ?? Number.NaN)];
    const isSpan = Number.isInteger(from) && Number.isInteger(to) && from >= 0;
    const { title, kind, source, text, writtenAt } = document;
    const mark = isSpan ? { from, to } : undefined;
    const session = c.get('session');
    return c.html(
      await recordPage({ session, title, kind, source, text, writtenAt, mark, now: clock.now() }),
    );
  });

  pages.get('/clients/:id', async (c) => c.html(await show(c, idOf(c))));

  pages.post('/clients/merges/:id', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const { person } = c.get('session');
    const org = await seen(c);
    const decision = field('decision');
    try {
      if (!['accept', 'reject', 'undo'].includes(decision))
        throw new DrawbridgeError('invalid_request', 'decision: must be accept, reject or undo.', {
          field: 'decision',
        });
      const merge =
        decision === 'undo'
          ? await clientBook.undo(org, person, { id, channel })
          : await clientBook.decide(org, person, { id, accept: decision === 'accept', channel });
      return c.redirect(`/clients/${merge.client.id}`, 303);
    } catch (thrown) {
      return c.html(await showAll(c, faultOf(thrown)), 400);
    }
  });

  pages.post('/clients/:id/merge', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const org = await seen(c);
    return change(c, id, async () => {
      const found = await clientsCalled(org, field('other'));
      const [other] = found;
      if (other === undefined || found.length > 1) {
        const why =
          other === undefined ? 'Nobody is called so.' : 'Several are called so: name one by address.';
        throw new DrawbridgeError('invalid_request', `other: ${why}`, { field: 'other' });
      }
      const { client } = await clientBook.merge(org, c.get('session').person, {
        into: id,
        other: other.id,
        channel,
      });
      return client.id;
    });
  });

  pages.post('/clients/:id/split', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const org = await seen(c);
    const keys = Array.from({ length: 100 }, (_, i) => field(`key-${i}`)).filter((key) => key !== '');
    return change(c, id, async () => {
      await clientBook.split(org, c.get('session').person, { id, keys, channel });
      return undefined;
    });
  });

  pages.post('/clients/:id/facts', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const org = await seen(c);
    const word = { name: field('name'), value: field('value') };
    return change(c, id, async () => {
      await clientBook.addFact(org, c.get('session').person, { clientId: id, word, channel });
      return undefined;
    });
  });

  pages.post('/clients/:id/facts/:fact', async (c) => {
    const id = idOf(c);
    const factId = idOf(c, 'fact');
    const field = await fieldsOf(c);
    const org = await seen(c);
    const { person } = c.get('session');
    return change(c, id, async () => {
      if (field('change') === 'remove') await clientBook.removeFact(org, person, { factId, channel });
      else await clientBook.correctFact(org, person, { factId, value: field('value'), channel });
      return undefined;
    });
  });

  return pages;
}
