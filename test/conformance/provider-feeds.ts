// Feeds: read to the end, over pages that change, and on after a kill.
import { expect } from 'vitest';
import type { EmulatedFeed } from '../../sandbox/emulated.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import type { FeedPage, Provider } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { json, many } from './provider-asks.ts';
import { group, type Parts, type Promises } from './provider-parts.ts';
import { openProviderWorld, type ProviderWorld } from './provider-world.ts';

export function describeFeeds(
  entry: CatalogEntry,
  provider: Provider,
  { promise, parts }: { promise: Promises; parts: Parts },
): void {
  const names = Object.keys(provider.feeds);
  const each = (what: string, run: (name: string) => Promise<void>) =>
    promise.each(names, what, parts.feeds, run);
  group('feeds', () => {
    each('reads to the end, then only what is new and what is gone', async (name) => {
      const world = await openProviderWorld(entry);
      const own = feedAt(world, name);
      const added = own.add(60);
      const connection = await world.connect();
      const first = await readFeed(world, connection.id, name, undefined);
      for (const id of added) expect(first.ids, 'a record of the first run').toContain(id);
      // What a provider says late is asked for again: time must pass.
      world.clock.advance(10 * 60_000);
      if (added[0] === undefined) throw new Error('nothing was added');
      own.remove(added[0]);
      const [fresh] = own.add(1);
      world.clock.advance(10 * 60_000);
      const second = await readFeed(world, connection.id, name, first.cursor);
      expect(second.ids).toContain(fresh);
      const gone = second.deleted.has(added[0]) || isLeftOut(second.complete, added[0]);
      expect(gone, 'the deletion is told').toBe(true);
      expect(second.ids.has(added[0])).toBe(false);
    });

    each(
      'takes nothing for gone, and passes nothing by, when the provider fails in the middle of a run',
      async (name) => {
        const world = await openProviderWorld(entry);
        const own = feedAt(world, name);
        const [removed = ''] = own.add(5);
        const connection = await world.connect();
        const whole = await readFeed(world, connection.id, name, undefined);
        world.clock.advance(breakerMs);
        own.remove(removed);
        const [fresh = ''] = own.add(1);
        world.clock.advance(breakerMs);
        for (const times of [1, many]) {
          for (let spare = 0; spare < mostSpared; spare += 1) {
            world.fail({ kind: 'refuse', status: 500, text: '{}', ...json }, { spare, times });
            const run = await readFeed(world, connection.id, name, whole.cursor, { failing: true });
            const unmet = world.waiting() === times;
            world.mend();
            // Past an open breaker.
            world.clock.advance(breakerMs);
            const { deleted, complete } = run;
            const gone = [...whole.ids].filter((id) => deleted.has(id) || isLeftOut(complete, id));
            const where = `failing ${times} times after ${spare} calls`;
            expect(
              gone.filter((id) => id !== removed),
              where,
            ).toEqual([]);
            if (times === 1 && !run.ids.has(fresh)) {
              const next = await readFeed(world, connection.id, name, run.cursor);
              expect(next.ids, where).toContain(fresh);
            }
            if (unmet) break;
          }
        }
      },
    );

    each('goes on after a kill on any page, and loses nothing', async (name) => {
      const world = await openProviderWorld(entry);
      feedAt(world, name).add(60);
      const connection = await world.connect();
      const whole = await readFeed(world, connection.id, name, undefined);
      for (let kill = 1; kill < Math.min(whole.pages, 6); kill += 1) {
        const before = await readFeed(world, connection.id, name, undefined, { pages: kill });
        const after = await readFeed(world, connection.id, name, before.cursor);
        const both = new Set([...before.ids, ...after.ids]);
        expect(
          [...whole.ids].filter((id) => !both.has(id)),
          `killed after page ${kill}`,
        ).toEqual([]);
      }
    });

    each('loses nothing that stays while others come and go between its pages', async (name) => {
      const world = await openProviderWorld(entry);
      const own = feedAt(world, name);
      const added = own.add(60);
      const connection = await world.connect();
      let cursor: unknown;
      const seen = new Set<string>();
      let changed = false;
      for await (const page of await pagesOf(world, connection.id, name, undefined)) {
        for (const { externalId } of page.records) seen.add(externalId);
        cursor = page.cursor;
        if (changed || page.records.length === 0) continue;
        changed = true;
        const unseen = added.find((id) => !seen.has(id));
        if (unseen !== undefined) own.remove(unseen);
        own.add(2);
      }
      world.clock.advance(10 * 60_000);
      const later = await readFeed(world, connection.id, name, cursor);
      const gone = new Set(later.deleted);
      const known = new Set([...seen, ...later.ids]);
      const now = await readFeed(world, connection.id, name, undefined);
      expect([...now.ids].filter((id) => !known.has(id))).toEqual([]);
      expect(gone.size).toBeLessThanOrEqual(1);
    });
  });
}

/** Its other side: a feed without one is not tried, and that is a fault of the sandbox. */
export function feedAt({ emulated }: ProviderWorld, name: string): EmulatedFeed {
  const feed = emulated.feeds[name];
  if (feed === undefined) throw new Error(`the sandbox has no other side of the feed ${name}`);
  return feed;
}

async function pagesOf(
  world: ProviderWorld,
  id: string,
  name: string,
  cursor: unknown,
): Promise<AsyncIterable<FeedPage>> {
  const connection = await world.connections.get(world.org, id);
  const feeds = await world.connections.feeds(world.org, connection);
  const feed = feeds.find((one) => one.name === name);
  if (feed === undefined) throw new Error(`no feed ${name}`);
  // Stored between two runs, as a cursor is.
  return feed.pages(cursor === undefined ? undefined : JSON.parse(JSON.stringify(cursor)));
}

/** @param options.failing an error ends it: what came before is told */
async function readFeed(
  world: ProviderWorld,
  id: string,
  name: string,
  cursor: unknown,
  { pages = 1_000, failing = false } = {},
) {
  const read = {
    ids: new Set<string>(),
    deleted: new Set<string>(),
    pages: 0,
    complete: [] as NonNullable<FeedPage['complete']>[],
    cursor,
  };
  const take = async (): Promise<void> => {
    for await (const page of await pagesOf(world, id, name, cursor)) {
      read.pages += 1;
      for (const { externalId } of page.records) read.ids.add(externalId);
      for (const gone of page.deleted) read.deleted.add(gone);
      if (page.complete !== undefined) read.complete.push(page.complete);
      read.cursor = page.cursor;
      if (read.pages === pages) break;
    }
  };
  await take().catch((thrown: unknown) => {
    if (!failing || !(thrown instanceof DrawbridgeError)) throw thrown;
  });
  return read;
}

const breakerMs = 5.5 * 60_000;
/** More calls than a run with little to do makes. */
const mostSpared = 40;

/** Whether a list of all that exists says that it is gone. */
function isLeftOut(lists: readonly NonNullable<FeedPage['complete']>[], id: string): boolean {
  return lists.some(({ ids, prefix = '' }) => id.startsWith(prefix) && !ids.includes(id));
}
