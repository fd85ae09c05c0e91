// Every call out, whatever its protocol, runs inside the same guards: breaker, slot, whole-call limit,
// metrics. A call ends when its time is up, even if the work under it does not listen.
import type { Clock } from '../clock.ts';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Breaker, createBreaker, type Pass, type Verdict } from './breaker.ts';
import { type Bucket, createBucket, createSlots, type Slots } from './bucket.ts';
import { withDeadline } from './deadline.ts';
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

interface Done<Result> {
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
  /** Gives up every call that is under way, so that none of their timers holds the process. */
  close(): void;
}

interface Guard {
  breaker: Breaker | undefined;
  bucket: Bucket;
  slots: Slots;
}

export function createGuards({ clock, log }: { clock: Clock; log: Log }): Guards {
  const guards = new Map<string, Guard>();
  const metrics = createMetrics();
  const underWay = new Set<AbortController>();

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
    close() {
      const closing = new DrawbridgeError('network', 'Drawbridge is closing: the call was given up.');
      for (const call of underWay) call.abort(closing);
    },
    async run(caller, options, work) {
      const { name, timeoutMs } = options;
      const guard = guardOf(caller);
      const began = clock.elapsed();
      let outcome = 'internal';
      let verdict: Verdict = 'unknown';
      let pass: Pass | undefined;
      const ending = new AbortController();
      underWay.add(ending);
      try {
        pass = guard.breaker?.enter();
        const probe = pass?.probe ?? false;
        const done = await withDeadline(
          {
            clock,
            timeoutMs,
            signal:
              options.signal === undefined ? ending.signal : AbortSignal.any([options.signal, ending.signal]),
            expired: () =>
              new DrawbridgeError(
                'timeout',
                `${name} did not finish its answer within ${timeoutMs / 1000} s.`,
              ),
          },
          async (signal) => {
            const leaveSlot = await guard.slots.enter(signal);
            signal.addEventListener('abort', leaveSlot);
            try {
              const left = (): number => began + timeoutMs - clock.elapsed();
              return await work({ signal, probe, left, pace: () => guard.bucket.take(signal) });
            } finally {
              leaveSlot();
            }
          },
        );
        ({ outcome, verdict } = done);
        return done.result;
      } catch (thrown) {
        const givenUp = options.signal?.aborted === true || ending.signal.aborted;
        outcome = givenUp ? 'aborted' : thrown instanceof DrawbridgeError ? thrown.code : 'error';
        verdict = givenUp ? 'unknown' : verdictOn(thrown);
        throw thrown;
      } finally {
        underWay.delete(ending);
        pass?.settle(verdict);
        const ms = Math.round(clock.elapsed() - began);
        metrics.add(caller, outcome, ms);
        const { provider, operation } = caller;
        log.debug({ provider, operation, to: name, outcome, ms }, 'call out');
      }
    },
  };
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
