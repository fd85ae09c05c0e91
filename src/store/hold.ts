// Holding a lease for as long as some work takes: renewed in the background, given up at the end, and a
// signal for the work when it was lost.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Lease, releaseLease, renewLease } from './lease.ts';
import type { OrgStore } from './store.ts';

export interface Hold {
  /** Aborts with a `conflict` once another may hold it. */
  lost: AbortSignal;
  /** Stops renewing and gives the lease up, unless that was part of a write (`releaseWith`). */
  end(options?: { released: boolean }): Promise<void>;
}

/** `ttlMs`: as it was acquired with; it is renewed four times in that time. */
export function holdLease(
  org: OrgStore,
  lease: Lease,
  { ttlMs, clock, log }: { ttlMs: number; clock: Clock; log: Log },
): Hold {
  const stop = new AbortController();
  const lost = new AbortController();

  async function renew(): Promise<void> {
    while (!lost.signal.aborted) {
      try {
        await clock.sleep(ttlMs / 4, { signal: stop.signal, unref: true });
      } catch {
        return; // stopped
      }
      try {
        if ((await renewLease(org, lease, ttlMs)) !== undefined) continue;
        lost.abort(
          new DrawbridgeError('conflict', `The lease "${lease.name}" was lost to another process.`, {
            retry: 'later',
          }),
        );
      } catch (error) {
        // The next turn tries again; the lease outlives three of them.
        log.warn({ err: error, lease: lease.name }, 'a lease could not be renewed');
      }
    }
  }

  const renewing = renew();
  return {
    lost: lost.signal,
    async end({ released } = { released: false }) {
      stop.abort();
      await renewing;
      if (!released) await releaseLease(org, lease);
    },
  };
}
