// Time is handed in, so that a test owns it. Nothing else in src may ask for the date or wait.
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /** Wall-clock time, integer milliseconds since 1970-01-01T00:00Z. */
  now(): number;
  /** Monotonic milliseconds, for durations; unaffected by a clock jump. */
  elapsed(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. Never keeps the process alive when `unref`. */
  sleep(ms: number, options?: { signal?: AbortSignal | undefined; unref?: boolean }): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, options = {}) => {
    await wait(ms, undefined, {
      ref: options.unref !== true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  },
};
