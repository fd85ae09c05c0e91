// How long a feed may take: between two signs of life, and as a whole. What hangs is given up; what it brought
// stays, and the next run goes on from there.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';

export interface Limits {
  /** Longest time between two pages, ms. */
  heartbeatMs: number;
  /** Longest run, ms. */
  runMs: number;
}

export interface Watch {
  /** Aborts with a `timeout`. */
  over: AbortSignal;
  beat(): void;
  end(): void;
}

/** @param given.begun when the run began, as `clock.elapsed` tells */
export function watch(clock: Clock, given: Limits & { begun: number; what: string }): Watch {
  const { heartbeatMs, runMs, begun, what } = given;
  const over = new AbortController();
  const stop = new AbortController();
  let last = clock.elapsed();

  async function look(): Promise<void> {
    for (;;) {
      const now = clock.elapsed();
      const untilRun = begun + runMs - now;
      const untilBeat = last + heartbeatMs - now;
      if (untilRun <= 0 || untilBeat <= 0) {
        const why =
          untilRun <= 0
            ? `took longer than ${Math.round(runMs / 60_000)} minutes; the next run goes on from here`
            : `gave nothing for ${Math.round(heartbeatMs / 60_000)} minutes`;
        over.abort(new DrawbridgeError('timeout', `${what} ${why}.`));
        return;
      }
      try {
        await clock.sleep(Math.min(untilRun, untilBeat), { signal: stop.signal, unref: true });
      } catch {
        return; // ended
      }
    }
  }

  void look();
  return {
    over: over.signal,
    beat: () => {
      last = clock.elapsed();
    },
    end: () => stop.abort(),
  };
}

/** The same items until `over` aborts, also while the next one is waited for. @throws its reason */
export async function* until<Item>(
  items: AsyncIterable<Item>,
  over: AbortSignal,
  onLeft: (thrown: unknown) => void,
): AsyncGenerator<Item, undefined, void> {
  const source = items[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(over.reason);
  aborted.promise.catch(onLeft);
  if (over.aborted) abort();
  over.addEventListener('abort', abort, { once: true });
  let done = false;
  try {
    for (;;) {
      const step = await Promise.race([source.next(), aborted.promise]);
      if (step.done === true) {
        done = true;
        return undefined;
      }
      yield step.value;
    }
  } finally {
    over.removeEventListener('abort', abort);
    // One that hangs is not waited for.
    if (!done) source.return?.().catch(onLeft);
  }
}
