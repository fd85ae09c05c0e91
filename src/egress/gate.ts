// Where a call waits for its turn under one limit. The numbers are shared by all processes; a process that
// calls often takes a few calls at a time, so that most calls ask nobody.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createKeptWhile } from './kept-while.ts';
import { handMs, type LimitState, parseState, type Rate, restsAt, takeCalls } from './limit-state.ts';

/** Waiting longer than this inside a call would look like hanging. */
export const longestWaitMs = 20_000;

/** One row of the limits that processes share. */
export interface LimitRow {
  /** Undefined: of a registered app, which all orgs share. */
  orgId: string | undefined;
  name: string;
}

/** Where limits are kept, for all processes: the store, seen from the door. */
export interface SharedLimits {
  /**
   * Runs `change` on a row's text (undefined: no row yet), alone among all processes, and keeps what it
   * returns as `text`, at least until `restsAt`. `now` is integer ms of a time that all processes share. `change` may be run again.
   */
  change<Result>(
    row: LimitRow,
    change: (text: string | undefined, now: number) => LimitChange<Result>,
  ): Promise<Result>;
}

export interface LimitChange<Result> {
  text: string;
  result: Result;
  /** From then on a row made anew would be the same, integer ms. */
  restsAt: number;
}

export interface Gate {
  /**
   * Resolves when a call may be made.
   * @throws DrawbridgeError `rate_limited` with `retryAfterMs` where that would take longer than the call has
   */
  take(signal: AbortSignal, leftMs: number): Promise<void>;
  /** Nothing more for `ms`, by any process: the provider said so. */
  pause(ms: number): Promise<void>;
  /** Nobody waits here and nothing is in hand: what there is to know is in the limits. */
  rests(): boolean;
}

export interface GateParts {
  shared: SharedLimits;
  /** Used in its place when `shared` fails: a locked or full database ends no call. */
  own: SharedLimits;
  row: LimitRow;
  rate: Rate;
  /** Said of a refusal. */
  words: string;
  /** Take ahead of need. Off where each call is counted for a plan. */
  ahead: boolean;
  clock: Clock;
  log: Log;
}

export function createGate(parts: GateParts): Gate {
  const { row, rate, clock } = parts;
  // At most what the bucket brings in while calls are in hand, and a twentieth of any window.
  const most = Math.max(
    1,
    Math.floor(
      Math.min(
        rate.burst / 2,
        (rate.perSecond * handMs) / 1000,
        ...(rate.windows ?? []).map(({ calls }) => calls / 20),
      ),
    ),
  );
  let hand = { calls: 0, until: 0 };
  let batch = 1;
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function change<Result>(work: (state: LimitState, now: number) => Result): Promise<Result> {
    const changed = (text: string | undefined, now: number): LimitChange<Result> => {
      const state = parseState(text, rate, now);
      const result = work(state, now);
      return { text: JSON.stringify(state), result, restsAt: restsAt(state, rate) };
    };
    try {
      return await parts.shared.change(row, changed);
    } catch (thrown) {
      parts.log.warn(
        { err: thrown, limit: row.name },
        'shared limits are out of reach: this process counts alone',
      );
      return parts.own.change(row, changed);
    }
  }

  /** One at a time: who comes while another asks may find enough in hand. */
  async function next(capMs: number): Promise<{ calls: number; waitMs: number }> {
    if (hand.calls > 0 && clock.elapsed() < hand.until) {
      hand.calls -= 1;
      return { calls: 1, waitMs: 0 };
    }
    // Used up before it was old: the calls come fast.
    batch = parts.ahead && clock.elapsed() < hand.until ? Math.min(batch * 2, most) : 1;
    const wanted = batch;
    const taken = await change((state, now) => takeCalls(state, rate, { wanted, now, longestWaitMs: capMs }));
    if (taken.calls > 0 && taken.waitMs === 0) {
      hand = { calls: taken.calls - 1, until: clock.elapsed() + handMs };
    }
    return taken;
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    waiting += 1;
    const mine = turn.then(work).finally(() => {
      waiting -= 1;
    });
    // Its own caller hears of a failure; who comes next only waits for the end.
    turn = mine.catch(() => undefined);
    return mine;
  }

  return {
    rests: () => waiting === 0 && (hand.calls === 0 || clock.elapsed() >= hand.until),
    async take(signal, leftMs) {
      const began = clock.elapsed();
      for (;;) {
        signal.throwIfAborted();
        const capMs = Math.min(longestWaitMs, leftMs) - (clock.elapsed() - began);
        const { calls, waitMs } = await inTurn(() => next(capMs));
        if (waitMs > capMs) {
          throw new DrawbridgeError('rate_limited', parts.words, { retryAfterMs: waitMs });
        }
        if (waitMs > 0) await clock.sleep(waitMs, { signal });
        if (calls > 0) return;
      }
    },
    pause: (ms) =>
      inTurn(async () => {
        hand = { calls: 0, until: 0 };
        await change((state, now) => {
          state.pausedUntil = Math.max(state.pausedUntil, now + ms);
        });
      }),
  };
}

/** Limits of this process alone. A row is kept as long as it says something. */
export function ownLimits(clock: Clock): SharedLimits & { size(): number } {
  const rows = createKeptWhile<{ text: string | undefined; restsAt: number }>(
    clock,
    (row) => clock.now() >= row.restsAt,
  );
  return {
    size: rows.size,
    async change({ orgId, name }, change) {
      const row = rows.get(JSON.stringify([orgId ?? null, name]), () => ({ text: undefined, restsAt: 0 }));
      const { result, ...kept } = change(row.text, clock.now());
      Object.assign(row, kept);
      return result;
    },
  };
}
