// A clock that a test moves by hand, and that tells who sleeps on it.
import type { Clock } from '../../src/clock.ts';

export interface ManualClock extends Clock {
  /** Moves both clocks and wakes who is due, in order. */
  advance(ms: number): void;
  /** Resolves with the length of a sleep, begun before or after this call, that `match` picks. */
  asleep(match: (ms: number) => boolean): Promise<number>;
}

interface Sleeper {
  ms: number;
  until: number;
  wake(): void;
}

export function manualClock(start = Date.UTC(2026, 0, 5, 12)): ManualClock {
  let elapsed = 0;
  const sleepers = new Set<Sleeper>();
  const watchers = new Set<() => void>();

  return {
    now: () => start + elapsed,
    elapsed: () => elapsed,
    sleep: (ms, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const leave = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
        };
        const abort = (): void => {
          leave();
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          ms,
          until: elapsed + ms,
          wake: () => {
            leave();
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
        for (const watcher of watchers) watcher();
      }),
    advance(ms) {
      elapsed += ms;
      const due = [...sleepers].filter(({ until }) => until <= elapsed).sort((a, b) => a.until - b.until);
      for (const sleeper of due) sleeper.wake();
    },
    asleep: (match) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = [...sleepers].find(({ ms }) => match(ms));
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found.ms);
        };
        watchers.add(look);
        look();
      }),
  };
}
