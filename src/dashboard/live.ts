// Tells an open page that what it shows is out of date, whichever process made the move: moves of this one
// are heard at once, those of others by looking every second.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Action } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';
import type { PageEnv, PageRooms } from './environment.ts';

const lookEveryMs = 1_000;
/** Then the browser comes again, and its session is checked anew. */
const streamLivesMs = 5 * 60_000;
export const listLength = 50;

/** What a list shows, in a word that changes when it does. */
export function fingerprint(actions: readonly Action[]): string {
  const text = actions.map((action) => `${action.id} ${action.status}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** An event stream that says `changed` once what was `seen` is no longer so, and ends. */
export function liveEvents(c: Context<PageEnv>, rooms: PageRooms, org: OrgStore): Response {
  const actionId = c.req.query('action');
  const seen = c.req.query('seen') ?? '';
  const { clock, queue, log } = rooms;

  async function isOutOfDate(): Promise<boolean> {
    if (actionId !== undefined) return (await queue.get(org, actionId)).status !== seen;
    return fingerprint(await queue.list(org, { limit: listLength })) !== seen;
  }

  return streamSSE(
    c,
    async (stream) => {
      const ended = new AbortController();
      let waiting = new AbortController();
      const wake = () => waiting.abort();
      const stopListening = queue.onMove((orgId) => {
        if (orgId === org.orgId) wake();
      });
      stream.onAbort(() => {
        ended.abort();
        wake();
      });
      const until = clock.elapsed() + streamLivesMs;
      try {
        while (!ended.signal.aborted && clock.elapsed() < until) {
          waiting = new AbortController();
          if (await isOutOfDate()) {
            await stream.writeSSE({ event: 'changed', data: '' });
            return;
          }
          if (ended.signal.aborted) return;
          await clock.sleep(lookEveryMs, { signal: waiting.signal, unref: true }).catch(() => undefined);
          // A dead browser is noticed by writing to it.
          await stream.write(': here\n\n');
        }
      } finally {
        stopListening();
      }
    },
    async (thrown) => log.debug({ err: thrown }, 'event stream ended'),
  );
}
