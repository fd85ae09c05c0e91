// A limit on calls as numbers: a token bucket, sliding windows, and a pause that the provider asked for. Pure:
// where the numbers are kept, and who waits, is decided elsewhere.
import type { CallLimit } from './egress.ts';

/** Calls that were taken are made within this time, or not at all: what is in hand ages out. */
export const handMs = 500;
/** A window remembers its calls in this many slices; a slice counts until its last call has left the window. */
const slices = 50;

export interface LimitState {
  /** Below zero: places in the queue that are given out already. */
  tokens: number;
  /** When `tokens` was right, integer ms. */
  at: number;
  /** For each window, calls taken: start of the slice, number; oldest first. */
  taken: [number, number][][];
  /** Nothing before this time. */
  pausedUntil: number;
}

export interface Taken {
  /** Calls that may be made, `waitMs` from now; 0: none, and `waitMs` says when to ask again. */
  calls: number;
  waitMs: number;
}

export type Rate = Pick<CallLimit, 'perSecond' | 'burst' | 'windows'>;

export function freshState(rate: Rate, now: number): LimitState {
  return { tokens: rate.burst, at: now, taken: [], pausedUntil: 0 };
}

/**
 * Takes up to `wanted` calls from `state`, which it changes. A bucket that is empty gives one call and the
 * time until its token is there, unless that is longer than `longestWaitMs`; a full window and a pause give none.
 */
export function takeCalls(
  state: LimitState,
  rate: Rate,
  asked: { wanted: number; now: number; longestWaitMs: number },
): Taken {
  const { now } = asked;
  if (state.pausedUntil > now) return { calls: 0, waitMs: state.pausedUntil - now };
  let wanted = asked.wanted;
  const windows = rate.windows ?? [];
  state.taken.length = windows.length;
  for (const [index, window] of windows.entries()) {
    const counted = stillCounted(state.taken[index] ?? [], window.ms, now);
    state.taken[index] = counted;
    const left = window.calls - counted.reduce((sum, [, calls]) => sum + calls, 0);
    const oldest = counted[0];
    if (left < 1 && oldest !== undefined) {
      return { calls: 0, waitMs: Math.max(1, oldest[0] + countedFor(window.ms) - now) };
    }
    wanted = Math.min(wanted, left);
  }
  const filled = state.tokens + (Math.max(0, now - state.at) * rate.perSecond) / 1000;
  const tokens = Math.min(rate.burst, filled);
  const calls = tokens >= 1 ? Math.min(wanted, Math.floor(tokens)) : 1;
  const waitMs = tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / rate.perSecond);
  if (waitMs > asked.longestWaitMs) return { calls: 0, waitMs };
  state.tokens = tokens - calls;
  state.at = now;
  for (const [index, window] of windows.entries()) {
    const taken = state.taken[index];
    if (taken !== undefined) count(taken, calls, { at: now + waitMs, sliceMs: window.ms / slices });
  }
  return { calls, waitMs };
}

/** How long a call counts: the window, its slice, and the time that it may be in hand. */
function countedFor(windowMs: number): number {
  return Math.ceil(windowMs + windowMs / slices) + handMs;
}

function stillCounted(taken: [number, number][], windowMs: number, now: number): [number, number][] {
  // A slice far ahead was written by a clock that has been set back since: it counts from now.
  return taken
    .map(([at, calls]): [number, number] => [Math.min(at, now + windowMs), calls])
    .filter(([at]) => at + countedFor(windowMs) > now);
}

function count(
  taken: [number, number][],
  calls: number,
  { at, sliceMs }: { at: number; sliceMs: number },
): void {
  const last = taken.at(-1);
  if (last !== undefined && at >= last[0] && at < last[0] + sliceMs) last[1] += calls;
  else taken.push([at, calls]);
}

/** When nothing in `state` tells it from a fresh one any more, integer ms. */
export function restsAt(state: LimitState, rate: Rate): number {
  const full = state.at + Math.ceil(((rate.burst - state.tokens) * 1000) / rate.perSecond);
  const forgotten = (rate.windows ?? []).map(({ ms }, index) => {
    const last = state.taken[index]?.at(-1);
    return last === undefined ? 0 : last[0] + countedFor(ms);
  });
  return Math.max(state.pausedUntil, full, ...forgotten);
}

/** The state as it was stored, or a fresh one for what is no state. */
export function parseState(text: string | undefined, rate: Rate, now: number): LimitState {
  if (text === undefined) return freshState(rate, now);
  const known = JSON.parse(text) as Partial<LimitState>;
  const { tokens, at, taken, pausedUntil } = known;
  if (typeof tokens !== 'number' || typeof at !== 'number' || !Array.isArray(taken)) {
    return freshState(rate, now);
  }
  return {
    tokens: Math.min(tokens, rate.burst),
    at: Math.min(at, now),
    taken,
    pausedUntil: pausedUntil ?? 0,
  };
}
