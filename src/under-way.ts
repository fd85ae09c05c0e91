// Work that outlives its answer, or its client: waited for before what it stands on is closed.
import type { Clock } from './clock.ts';

export interface UnderWay {
  /** Runs `work`; its result, or what it throws, is the caller's. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing is under way any more, or after `ms`: what hangs longer is left. */
  settled(ms: number): Promise<void>;
}

export function createUnderWay(clock: Clock): UnderWay {
  const running = new Set<Promise<unknown>>();
  return {
    run(work) {
      const run = (async () => work())().finally(() => running.delete(run));
      running.add(run);
      return run;
    },
    async settled(ms) {
      const over = new AbortController();
      const late = clock.sleep(ms, { signal: over.signal, unref: true }).then(
        () => 'late' as const,
        // All had ended first.
        () => undefined,
      );
      // What ends may have begun something else.
      while (running.size > 0 && (await Promise.race([late, Promise.allSettled(running)])) !== 'late');
      over.abort();
    },
  };
}
