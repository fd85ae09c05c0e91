// The moves of an org's connections as a stream of server-sent events, whichever process made them.
import type { Context } from 'hono';
import type { OrgStore } from '../../store/store.ts';
import { iso } from '../../time.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { eventStream } from '../page/event-stream.ts';

/** A move bears the time at which it began, and is seen when it is committed: so far may that be apart. */
const lateMs = 15_000;

/** One `connection` event a move, from `?since=` (integer ms; default: from now on). */
export function connectionEvents(
  c: Context<PageEnv>,
  rooms: Pick<PageRooms, 'clock' | 'log' | 'connections'>,
  org: OrgStore,
): Response {
  const { clock, connections } = rooms;
  const asked = Number(c.req.query('since'));
  const since = Number.isSafeInteger(asked) && asked > 0 ? asked : clock.now();
  const lastId = c.req.header('last-event-id');
  let from = since - lateMs;
  let told: Set<string> | undefined;

  return eventStream(c, rooms, {
    async look(stream) {
      const found = await connections.events(org, from);
      // What is older than `since` at the first look was there before, and what the browser had last, too.
      const had = found.findIndex(({ id }) => id === lastId);
      told ??= new Set(found.filter(({ at }, index) => at < since || index <= had).map(({ id }) => id));
      for (const { id, connectionId, from: before, to, reason, at } of found) {
        if (told.has(id)) continue;
        told.add(id);
        await stream.writeSSE({
          id,
          event: 'connection',
          data: JSON.stringify({ connectionId, from: before, to, reason: reason ?? null, at: iso(at) }),
        });
      }
      from = Math.max(from, clock.now() - lateMs);
      return false;
    },
  });
}
