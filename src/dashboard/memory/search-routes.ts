// The address of the search. It only shows, and shows each person what they may see.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { MemoryQuery } from '../../memory/memory.ts';
import { readTimeZone } from '../../memory/question/time-zone.ts';
import { documentKinds } from '../../providers/record.ts';
import { readFreshness } from '../../recall/thresholds.ts';
import { parseInstant } from '../../time.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { type Asked, searchPage } from './search-page.ts';

const shown = 10;
const longest = 1_000;

function askedIn(c: Context<PageEnv>): Asked {
  const field = (name: string) => (c.req.query(name) ?? '').trim();
  return {
    words: field('q').slice(0, longest),
    kind: documentKinds.find((kind) => kind === field('kind')),
    account: field('account').slice(0, 64),
    since: field('since').slice(0, 40),
    until: field('until').slice(0, 40),
  };
}

function queryOf(asked: Asked, cursor: string | undefined): MemoryQuery {
  const { words, kind, account, since, until } = asked;
  return {
    question: words,
    limit: shown,
    collapse: true,
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(account === '' ? {} : { connectionIds: [account] }),
    ...(since === '' ? {} : { since: parseInstant(since, 'since') }),
    ...(until === '' ? {} : { until: parseInstant(until, 'until') }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

export function searchRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { memory, connections, clock } = rooms;

  pages.get('/search', async (c) => {
    if (memory === undefined) throw new DrawbridgeError('not_found', 'There is no such page.');
    const session = c.get('session');
    const org = await rooms.orgSeenBy(session.person);
    const asked = askedIn(c);
    const all = await connections.list(org);
    const holdsAny = (await memory.documents(org, { limit: 1 })).length > 0;
    const parts = { session, asked, connections: all.filter(({ state }) => state !== 'DELETED'), holdsAny };
    if (asked.words === '') return c.html(await searchPage({ ...parts, found: undefined }));
    try {
      const understand = { now: clock.now(), timeZone: await readTimeZone(org) };
      const answer = await memory.search(org, { ...queryOf(asked, c.req.query('cursor')), understand });
      const judge = {
        connections: new Map(all.map((each) => [each.id, each])),
        now: clock.now(),
        maxAgeMs: undefined,
        freshness: await readFreshness(org),
      };
      const address = new URLSearchParams(Object.entries(c.req.query()));
      if (answer.nextCursor !== undefined) address.set('cursor', answer.nextCursor);
      const next = answer.nextCursor === undefined ? undefined : `/search?${address}`;
      return c.html(await searchPage({ ...parts, found: { answer, judge, next } }));
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'invalid_request') throw thrown;
      return c.html(await searchPage({ ...parts, found: undefined, fault: thrown.message }), 400);
    }
  });

  return pages;
}
