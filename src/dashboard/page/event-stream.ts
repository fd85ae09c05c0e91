// A stream of server-sent events that looks at the database in turns, and ends by itself: then the browser
// comes again, and its session is checked anew.
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { PageEnv, PageRooms } from '../environment.ts';

const lookEveryMs = 1_000;
const streamLivesMs = 5 * 60_000;

export interface Turns {
  /** One look; true ends the stream. */
  look(stream: SSEStreamingApi): Promise<boolean>;
  /** Calls back when there is something to look at before the next turn. Returns the unsubscribe. */
  listen?(wake: () => void): () => void;
}

export function eventStream(
  c: Context<PageEnv>,
  { clock, log }: Pick<PageRooms, 'clock' | 'log'>,
  turns: Turns,
): Response {
  return streamSSE(
    c,
    async (stream) => {
      const ended = new AbortController();
      let waiting = new AbortController();
      const wake = () => waiting.abort();
      const stopListening = turns.listen?.(wake);
      stream.onAbort(() => {
        ended.abort();
        wake();
      });
      const until = clock.elapsed() + streamLivesMs;
      try {
        while (!ended.signal.aborted && clock.elapsed() < until) {
          waiting = new AbortController();
          if (await turns.look(stream)) return;
          if (ended.signal.aborted) return;
          await clock.sleep(lookEveryMs, { signal: waiting.signal, unref: true }).catch(() => undefined);
          // A dead browser is noticed by writing to it.
          await stream.write(': here\n\n');
        }
      } finally {
        stopListening?.();
      }
    },
    async (thrown) => log.debug({ err: thrown }, 'event stream ended'),
  );
}
