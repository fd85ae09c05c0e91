// Every call out, whatever its protocol, runs inside the same guards: breaker, slot, whole-call limit,
// metrics. A call ends when its time is up, even if the work under it does not listen.
import type { Clock } from '../clock.ts';
import { DrawbridgeError, type ErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Breaker, createBreaker, type Pass, type Verdict } from './breaker.ts';
import { withDeadline } from './deadline.ts';
import type { Caller, CallLimit, CallRecord } from './egress.ts';
import { createGate, type Gate, ownLimits, type SharedLimits } from './gate.ts';
import { createKeptWhile } from './kept-while.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { markUnsent } from './never-left.ts';
import { createSlots, type Slots } from './slots.ts';

const defaultLimit: CallLimit = { perSecond: 5, burst: 10, concurrent: 4 };
/** Calls of one provider at once in this process, whatever the number of its connections: a bulkhead. */
const perProvider = 64;
const busy = 'Too many calls wait for this account already. Try again later.';

/** What the work under the guards gets. */
export interface Leave {
  signal: AbortSignal;
  /** One attempt only: this call finds out whether the provider is back. */
  probe: boolean;
  /** Waits for its turn under the limits; once for each attempt. */
  pace(): Promise<void>;
  /** The provider asks for a pause: nothing more on this connection for `ms`, by any process. */
  pause(ms: number): Promise<void>;
  /** Milliseconds left of the whole-call limit. */
  left(): number;
}

interface Done<Result> {
  result: Result;
  /** For the metrics: `ok` or an HTTP status. */
  outcome: string;
  verdict: Verdict;
}

/** What is asked for, as the log of calls names it. */
export interface Asking {
  method: string;
  /** What a person calls the other side. */
  name: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** How many calls it counts for; default 1. */
  calls?: number;
}

export interface Guards {
  run<Result>(caller: Caller, asking: Asking, work: (leave: Leave) => Promise<Done<Result>>): Promise<Result>;
  metrics: Metrics;
  /** Entries kept for connections, and rows of limits that are this process's own. */
  kept(): { connections: number; gates: number; limits: number };
  /** Gives up the calls that only ask, and refuses new ones; what signs in or renews a token may end. */
  giveUp(): void;
  /** Gives up every call that is under way, so that none of their timers holds the process. */
  close(): void;
}

/** Live calls that tools of an org may cause. */
export interface ToolLimit {
  calls: number;
  ms: number;
  /** Why not more, for people. */
  words: string;
}

export interface GuardParts {
  clock: Clock;
  log: Log;
  /** Limits that all processes share; absent: this process counts alone. */
  limits?: SharedLimits | undefined;
  /** Undefined: no limit. */
  toolLimit?: ((orgId: string) => Promise<ToolLimit | undefined>) | undefined;
  onCall?: ((record: CallRecord) => void) | undefined;
}

interface Guard {
  breaker: Breaker | undefined;
  gate: Gate;
  slots: Slots;
  /** Calls that hold it. */
  calls: number;
}

export function createGuards({ clock, log, limits, toolLimit, onCall }: GuardParts): Guards {
  const guards = createKeptWhile<Guard>(
    clock,
    ({ breaker, gate, slots, calls }) =>
      calls === 0 && slots.rests() && gate.rests() && (breaker?.rests() ?? true),
  );
  const gates = createKeptWhile<Gate>(clock, (gate) => gate.rests());
  const bulkheads = new Map<string, Slots>();
  const metrics = createMetrics();
  const underWay = new Map<AbortController, Caller>();
  let asksNothing = false;
  const own = ownLimits(clock);
  const shared = limits ?? own;

  function bulkheadOf({ provider }: Caller): Slots {
    const known = bulkheads.get(provider) ?? createSlots(perProvider);
    bulkheads.set(provider, known);
    return known;
  }

  function guardOf(caller: Caller): Guard {
    const { orgId, provider, connectionId } = caller;
    return guards.get(JSON.stringify([orgId, provider, connectionId ?? null]), () => {
      const limit = caller.limit ?? defaultLimit;
      return {
        // While an account is being connected a person may mistype its server: that opens no breaker.
        breaker: connectionId === undefined ? undefined : createBreaker(provider, clock),
        gate: createGate({
          // Nor is there a connection yet that another process could use.
          shared: connectionId === undefined ? own : shared,
          own,
          row: { orgId, name: `connection:${connectionId ?? provider}` },
          rate: limit,
          words: busy,
          ahead: true,
          clock,
          log,
        }),
        slots: createSlots(limit.concurrent),
        calls: 0,
      };
    });
  }

  function appGateOf({ app }: Caller): Gate | undefined {
    if (app === undefined) return undefined;
    return gates.get(`app:${app.name}`, () =>
      createGate({
        shared,
        own,
        row: { orgId: undefined, name: app.name },
        rate: app.limit,
        words: 'Too many calls of this app wait already. Try again later.',
        ahead: true,
        clock,
        log,
      }),
    );
  }

  /** Counts a live call that a tool causes; it never waits. @throws DrawbridgeError `rate_limited` */
  async function countForPlan(caller: Caller, signal: AbortSignal): Promise<void> {
    if (caller.cause !== 'tool' || toolLimit === undefined) return;
    const { orgId } = caller;
    const limit = await toolLimit(orgId);
    if (limit === undefined) return;
    const { calls, ms, words } = limit;
    const gate = gates.get(`plan:${orgId}:${calls}:${ms}`, () =>
      createGate({
        shared,
        own,
        row: { orgId, name: 'plan:tools' },
        rate: { perSecond: calls * 1000, burst: calls, windows: [{ calls, ms }] },
        words,
        ahead: false,
        clock,
        log,
      }),
    );
    await gate.take(signal, 0);
  }

  return {
    metrics,
    kept: () => ({ connections: guards.size(), gates: gates.size(), limits: own.size() }),
    giveUp() {
      asksNothing = true;
      for (const [call, { cause }] of underWay) if (cause !== 'connect') call.abort(closing());
    },
    close() {
      for (const call of underWay.keys()) call.abort(closing());
    },
    async run(caller, asking, work) {
      const { name, timeoutMs, calls = 1 } = asking;
      if (asksNothing && caller.cause !== 'connect') {
        const refused = closing();
        markUnsent(refused);
        throw refused;
      }
      const guard = guardOf(caller);
      const appGate = appGateOf(caller);
      const bulkhead = bulkheadOf(caller);
      const began = clock.elapsed();
      const left = (): number => began + timeoutMs - clock.elapsed();
      let attempts = 0;
      let outcome = 'internal';
      let verdict: Verdict = 'unknown';
      let pass: Pass | undefined;
      let error: DrawbridgeError | undefined;
      const ending = new AbortController();
      underWay.set(ending, caller);
      guard.calls += 1;
      try {
        pass = guard.breaker?.enter();
        const probe = pass?.probe ?? false;
        const done = await withDeadline(
          {
            clock,
            timeoutMs,
            signal:
              asking.signal === undefined ? ending.signal : AbortSignal.any([asking.signal, ending.signal]),
            expired: () =>
              new DrawbridgeError(
                'timeout',
                `${name} did not finish its answer within ${timeoutMs / 1000} s.`,
              ),
          },
          async (signal) => {
            await countForPlan(caller, signal);
            const leaveSlot = await enterBoth(guard.slots, calls, bulkhead, signal);
            signal.addEventListener('abort', leaveSlot);
            try {
              return await work({
                signal,
                probe,
                left,
                async pace() {
                  for (let taken = 0; taken < calls; taken += 1) {
                    await appGate?.take(signal, left());
                    await guard.gate.take(signal, left());
                  }
                  // What has no attempt never left: nothing may leave after its end.
                  signal.throwIfAborted();
                  attempts += 1;
                },
                pause: (ms) => guard.gate.pause(ms),
              });
            } finally {
              leaveSlot();
            }
          },
        );
        ({ outcome, verdict } = done);
        return done.result;
      } catch (thrown) {
        const givenUp = asking.signal?.aborted === true || ending.signal.aborted;
        if (thrown instanceof DrawbridgeError && !givenUp) {
          error = thrown;
          if (attempts === 0) markUnsent(thrown);
        }
        outcome = givenUp ? 'aborted' : outcomeOf(thrown);
        verdict = givenUp ? 'unknown' : verdictOn(thrown);
        throw thrown;
      } finally {
        underWay.delete(ending);
        guard.calls -= 1;
        pass?.settle(verdict);
        const ms = Math.round(clock.elapsed() - began);
        metrics.add(caller, outcome, ms);
        const { provider, operation } = caller;
        log.debug({ provider, operation, to: name, outcome, ms }, 'call out');
        onCall?.({
          caller,
          method: asking.method,
          host: name,
          outcome,
          ...(error === undefined ? {} : { error }),
          attempts,
          ms,
        });
      }
    },
  };
}

/** It says nothing of the other side, as a call that its caller gave up: hence the cause. */
function closing(): DrawbridgeError {
  const cause = new DOMException('This process ends.', 'AbortError');
  return new DrawbridgeError('network', 'Drawbridge is closing: the call was given up.', { cause });
}

/** A slot of the connection first, so that one account's queue holds none of its provider's. */
async function enterBoth(
  connection: Slots,
  calls: number,
  provider: Slots,
  signal: AbortSignal,
): Promise<() => void> {
  const leaveConnection = await connection.enter(signal, calls);
  try {
    const leaveProvider = await provider.enter(signal);
    return () => {
      leaveProvider();
      leaveConnection();
    };
  } catch (thrown) {
    leaveConnection();
    throw thrown;
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
  return isSocketTrouble(error) ? 'failing' : 'unknown';
}

function outcomeOf(error: unknown): string {
  if (error instanceof DrawbridgeError) return error.code;
  return isSocketTrouble(error) ? 'network' : 'error';
}

function isSocketTrouble(error: unknown): boolean {
  return error instanceof Error && 'code' in error && socketTrouble.test(String(error.code));
}
