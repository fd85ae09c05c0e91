// The addresses of the sources: the page, its stream of progress, and what a person can ask for.
import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { SyncState } from '../../jobs/sync-overview.ts';
import { parseEvery } from '../../jobs/sync-schedule.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { eventStream } from '../page/event-stream.ts';
import { fieldsOf } from '../requests.ts';
import { progressWords, sourcesPage } from './sources-page.ts';

const idShape = /^[a-z0-9_]{1,64}$/;

/** What the page shows, in a word that changes when it does; counts that only grow are told as progress. */
function fingerprint(states: readonly SyncState[]): string {
  const lines = states.map(({ connectionId, schedule, last, asked }) =>
    JSON.stringify([
      connectionId,
      schedule?.paused,
      schedule?.everyMs,
      schedule?.failures,
      schedule?.nextAt,
      schedule?.waitingSince !== undefined,
      last?.id,
      last?.state,
      asked?.count,
    ]),
  );
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

export function sourcesRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { ingestion, connections, clock } = rooms;
  const orgOf = (c: Context<PageEnv>) => rooms.orgFor(c.get('session').person.orgId);

  /** @throws DrawbridgeError `not_found` */
  async function connectionOf(c: Context<PageEnv>) {
    const id = c.req.param('id') ?? '';
    if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such source.');
    return connections.get(await orgOf(c), id);
  }
  const back = (c: Context<PageEnv>, id: string) => c.redirect(`/sources#${id}`, 303);

  pages.get('/sources', async (c) => {
    const sources = await ingestion.overview(await orgOf(c));
    const live = `/sources/events?seen=${fingerprint(sources)}`;
    return c.html(await sourcesPage({ session: c.get('session'), sources, live, now: clock.now() }));
  });

  pages.get('/sources/events', async (c) => {
    const org = await orgOf(c);
    const seen = c.req.query('seen') ?? '';
    const told = new Map<string, string>();
    return eventStream(c, rooms, {
      async look(stream) {
        const ids = (await connections.list(org)).filter((one) => one.hasFeeds).map(({ id }) => id);
        const states = await ingestion.states(org, ids);
        for (const { connectionId: id, last } of states) {
          if (last?.state !== 'running') continue;
          const { seen: value, total: max } = last;
          const data = JSON.stringify({ id, value, max: max ?? null, words: progressWords(last) });
          if (told.get(id) === data) continue;
          told.set(id, data);
          await stream.writeSSE({ event: 'progress', data });
        }
        if (fingerprint(states) === seen) return false;
        await stream.writeSSE({ event: 'changed', data: '' });
        return true;
      },
    });
  });

  pages.post('/sources/:id/sync', async (c) => {
    const field = await fieldsOf(c);
    const { id } = await connectionOf(c);
    await ingestion.request(await orgOf(c), id, { cause: 'person', full: field('full') === 'yes' });
    return back(c, id);
  });

  for (const [deed, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    pages.post(`/sources/:id/${deed}`, async (c) => {
      await fieldsOf(c);
      const connection = await connectionOf(c);
      await ingestion.change(await orgOf(c), connection, { paused });
      return back(c, connection.id);
    });
  }

  pages.post('/sources/:id/every', async (c) => {
    const field = await fieldsOf(c);
    const connection = await connectionOf(c);
    // The first choice of one that was set in a terminal is to leave it as it is.
    if (field('every') !== '') {
      await ingestion.change(await orgOf(c), connection, { everyMs: parseEvery(field('every')) });
    }
    return back(c, connection.id);
  });

  pages.post('/sources/:id/deletions', async (c) => {
    const field = await fieldsOf(c);
    const connection = await connectionOf(c);
    const answer = field('answer');
    if (answer !== 'forget' && answer !== 'keep') {
      throw new DrawbridgeError('invalid_request', 'The answer is to delete or to keep.', {
        field: 'answer',
      });
    }
    await ingestion.decide(await orgOf(c), c.get('session').person, { connection, answer, channel: 'page' });
    return back(c, connection.id);
  });

  return pages;
}
