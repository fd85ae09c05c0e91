// Database time is the machine's clock (SQLite) or the server's (PostgreSQL), and either may jump. Nothing
// is given up for lost on the word of a clock that has just jumped: the process's own monotonic clock is
// asked too.
import type { Clock } from '../clock.ts';

const jump = 60_000;
// A clock that stays where it jumped to is believed after this; one that jumps back is believed at once.
const settleAfter = 5 * 60_000;

export interface Steady {
  /** Whether `now` (database time) has moved along with the monotonic clock. A jump is believed after five minutes. */
  trusts(now: number): boolean;
  /**
   * How long, in monotonic milliseconds, this process has seen `key` unchanged. A different `state` begins anew.
   */
  unchangedFor(key: string, state: string): number;
  forget(key: string): void;
}

export function createSteady(clock: Clock): Steady {
  let offset: number | undefined;
  let doubtedSince: number | undefined;
  const seen = new Map<string, { state: string; since: number }>();
  return {
    trusts(now) {
      const elapsed = clock.elapsed();
      const current = now - elapsed;
      const moved = offset === undefined ? 0 : Math.abs(current - offset);
      if (moved > jump) {
        doubtedSince ??= elapsed;
        if (elapsed - doubtedSince < settleAfter) return false;
      }
      offset = current;
      doubtedSince = undefined;
      return true;
    },
    unchangedFor(key, state) {
      const elapsed = clock.elapsed();
      const known = seen.get(key);
      if (known?.state === state) return elapsed - known.since;
      seen.set(key, { state, since: elapsed });
      return 0;
    },
    forget(key) {
      seen.delete(key);
    },
  };
}
