// A token bucket and a count of calls in flight: what one connection may ask of a provider. A wait is
// bounded; what would wait longer is told when to come back.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { CallLimit } from './egress.ts';

/** Waiting longer than this inside a call would look like hanging. */
export const longestWaitMs = 20_000;

export interface Bucket {
  /** Takes one token, waiting for it. @throws DrawbridgeError `rate_limited` when the wait would pass `longestWaitMs`. */
  take(signal: AbortSignal): Promise<void>;
}

/** `perSecond` tokens flow in, `burst` of them are kept. Waiters are served in the order of their coming. */
export function createBucket(limit: CallLimit, clock: Clock): Bucket {
  let tokens = limit.burst;
  let filledAt = clock.elapsed();
  return {
    async take(signal) {
      const now = clock.elapsed();
      tokens = Math.min(limit.burst, tokens + ((now - filledAt) * limit.perSecond) / 1000);
      filledAt = now;
      // Going below zero is a place in the queue: the next one waits for this one's token and its own.
      const waitMs = tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / limit.perSecond);
      if (waitMs > longestWaitMs) {
        throw new DrawbridgeError(
          'rate_limited',
          'Too many calls wait for this account already. Try again later.',
          { retryAfterMs: waitMs },
        );
      }
      tokens -= 1;
      if (waitMs > 0) await clock.sleep(waitMs, { signal });
    },
  };
}

export interface Slots {
  /** Resolves with the release once a slot is free; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** At most `concurrent` holders at once, first come first served. */
export function createSlots(concurrent: number): Slots {
  let free = concurrent;
  const waiting: (() => void)[] = [];
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
  function once(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      release();
    };
  }
  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return once();
      }
      return new Promise((resolve, reject) => {
        const admit = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve(once());
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(admit), 1);
          reject(signal.reason);
        };
        waiting.push(admit);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
