// Every call out, whatever its protocol, runs inside the same guards: breaker, slot, whole-call limit,
// metrics. A call ends when its time is up, even if the work under it does not listen.
import type { Clock } from '../clock.ts';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Breaker, createBreaker, type Verdict } from './breaker.ts';
import { type Bucket, createBucket, createSlots, type Slots } from './bucket.ts';
import type { Caller, CallLimit } from './egress.ts';
import { createMetrics, type Metrics } from './metrics.ts';

const defaultLimit: CallLimit = { perSecond: 5, burst: 10, concurrent: 4 };

/** What the work under the guards gets. */
export interface Leave {
  signal: AbortSignal;
  /** One attempt only: this call finds out whether the provider is back. */
  probe: boolean;
  /** Takes a token for one attempt. */
  pace(): Promise<void>;
  /** Milliseconds left of the whole-call limit. */
  left(): number;
}

export interface Done<Result> {
  result: Result;
  /** For the metrics: `ok` or an HTTP status. */
  outcome: string;
  verdict: Verdict;
}

export interface Guards {
  run<Result>(
    caller: Caller,
    options: { name: string; timeoutMs: number; signal?: AbortSignal | undefined },
    work: (leave: Leave) => Promise<Done<Result>>,
  ): Promise<Result>;
  metrics: Metrics;
}

interface Guard {
  breaker: Breaker | undefined;
  bucket: Bucket;
  slots: Slots;
}

export function createGuards({ clock, log }: { clock: Clock; log: Log }): Guards {
  const guards = new Map<string, Guard>();
  const metrics = createMetrics();

  function guardOf(caller: Caller): Guard {
    const key = JSON.stringify([caller.orgId, caller.provider, caller.connectionId ?? null]);
    const known = guards.get(key);
    if (known !== undefined) return known;
    const limit = caller.limit ?? defaultLimit;
    const guard: Guard = {
      // While an account is being connected a person may mistype its server: that opens no breaker.
      breaker: caller.connectionId === undefined ? undefined : createBreaker(caller.provider, clock),
      bucket: createBucket(limit, clock),
      slots: createSlots(limit.concurrent),
    };
    guards.set(key, guard);
    return guard;
  }

  return {
    metrics,
    async run(caller, options, work) {
      const guard = guardOf(caller);
      const began = clock.elapsed();
      const over = new AbortController();
      const limit = new AbortController();
      const signal =
        options.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, options.signal]);
      let outcome = 'internal';
      let verdict: Verdict = 'unknown';
      let settle: ((verdict: Verdict) => void) | undefined;
      let leaveSlot: (() => void) | undefined;
      try {
        const pass = guard.breaker?.enter();
        settle = pass?.settle;
        void expire(clock, options, limit, over.signal);
        leaveSlot = await guard.slots.enter(signal);
        const done = await orAborted(
          signal,
          work({
            signal,
            probe: pass?.probe ?? false,
            pace: () => guard.bucket.take(signal),
            left: () => began + options.timeoutMs - clock.elapsed(),
          }),
        );
        ({ outcome, verdict } = done);
        return done.result;
      } catch (thrown) {
        // Work that was cut off says so in its own words; what it was cut off by is the truth.
        const error = signal.aborted ? signal.reason : thrown;
        outcome =
          error instanceof DrawbridgeError ? error.code : options.signal?.aborted ? 'aborted' : 'error';
        verdict = options.signal?.aborted ? 'unknown' : verdictOn(error);
        throw error;
      } finally {
        over.abort();
        leaveSlot?.();
        settle?.(verdict);
        const ms = Math.round(clock.elapsed() - began);
        metrics.add(caller, outcome, ms);
        log.debug(
          { provider: caller.provider, operation: caller.operation, to: options.name, outcome, ms },
          'call out',
        );
      }
    },
  };
}

/** Aborts `limit` when the time is up; ends quietly when the call is over first. */
async function expire(
  clock: Clock,
  { name, timeoutMs }: { name: string; timeoutMs: number },
  limit: AbortController,
  over: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(timeoutMs, { signal: over, unref: true });
  } catch (thrown) {
    if (over.aborted) return;
    throw thrown;
  }
  limit.abort(
    new DrawbridgeError('timeout', `${name} did not finish its answer within ${timeoutMs / 1000} s.`),
  );
}

async function orAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: stop.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop.abort();
    // Whichever lost the race may still reject, and nobody else listens to it.
    void work.catch(() => undefined);
    void aborted.catch(() => undefined);
  }
}

const socketTrouble =
  /^(E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_|NOTFOUND)|CERT_|ERR_TLS|ERR_SSL|UND_ERR|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;
const verdicts: Partial<Record<ErrorCode, Verdict>> = {
  network: 'failing',
  timeout: 'failing',
  provider_unavailable: 'failing',
  // Words of a server that is there and answers.
  auth_expired: 'healthy',
  auth_revoked: 'healthy',
  not_found: 'healthy',
  conflict: 'healthy',
};

/** Whether an error speaks against the other side's health: trouble on the way, not a refusal of this call. */
function verdictOn(error: unknown): Verdict {
  if (error instanceof DrawbridgeError) return verdicts[error.code] ?? 'unknown';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return socketTrouble.test(code) ? 'failing' : 'unknown';
}
