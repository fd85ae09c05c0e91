// A provider that keeps failing is left alone: after five failures in a row nothing is tried for five
// minutes, then one call probes, and only its success opens the way again.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';

const failuresToOpen = 5;
export const openMs = 5 * 60_000;
/** Failures that long ago say nothing about a connection that nobody has used since. */
export const rememberMs = 60 * 60_000;

/** What a call says about the provider's health. `unknown`: nothing (the caller gave up, say). */
export type Verdict = 'healthy' | 'failing' | 'unknown';

export interface Pass {
  /** The one call that finds out whether the provider is back: it makes a single attempt. */
  probe: boolean;
  /** To be called once, when the call is over. */
  settle(verdict: Verdict): void;
}

export interface Breaker {
  /** @throws DrawbridgeError `provider_unavailable` while open, or while another call probes. */
  enter(): Pass;
  /** Whether one made anew would judge the next call alike. */
  rests(): boolean;
}

/** `name` is what a person calls the other side. */
export function createBreaker(name: string, clock: Clock): Breaker {
  let failures = 0;
  let openedAt: number | undefined;
  let probing = false;
  let failedAt = 0;

  function refuse(retryAfterMs: number): DrawbridgeError {
    return new DrawbridgeError(
      'provider_unavailable',
      `${name} failed ${failures} times in a row, and is left alone for a while.`,
      { retryAfterMs },
    );
  }

  function settle(verdict: Verdict, probe: boolean): void {
    if (probe) probing = false;
    if (verdict === 'unknown') return;
    if (verdict === 'healthy') {
      // A slow call that began before the breaker opened proves nothing about now.
      if (openedAt !== undefined && !probe) return;
      failures = 0;
      openedAt = undefined;
      return;
    }
    failures += 1;
    failedAt = clock.elapsed();
    if (probe || (openedAt === undefined && failures >= failuresToOpen)) openedAt = clock.elapsed();
  }

  return {
    enter() {
      const probe = openedAt !== undefined;
      if (openedAt !== undefined) {
        const left = openedAt + openMs - clock.elapsed();
        if (left > 0) throw refuse(Math.ceil(left));
        if (probing) throw refuse(1000);
        probing = true;
      }
      return { probe, settle: (verdict) => settle(verdict, probe) };
    },
    rests: () => failures === 0 || (!probing && clock.elapsed() >= failedAt + rememberMs),
  };
}
