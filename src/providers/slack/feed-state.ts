// How far the feed `messages` has come: of each channel what was read whole, and the round that is under way.
// A step is one call; after each the state is a cursor that loses nothing.
import { z } from 'zod';
import { timestamp } from './shapes.ts';
import { tsOf } from './words.ts';

const message = z.looseObject({ ts: timestamp });

const round = z.object({
  /** Integer ms. */
  began: z.number(),
  /** A ts: what is older is not read. `0`: everything. */
  from: z.string(),
  readers: z.string(),
  /** Undefined: the first page. */
  page: z.string().optional(),
  /** The channel's own messages are read; what is left is `queue`. */
  read: z.boolean(),
  /** Conversations with replies, still to be read. */
  queue: z.array(timestamp),
  /** Of the first in the queue, where it is longer than a page. */
  part: z.object({ page: z.string(), messages: z.array(message) }).optional(),
  /** A ts: of what is older it is not noted that it was met. */
  noted: z.string(),
  /** What was met: `ts`, and `ts/file`. */
  ids: z.array(z.string()),
  /** Conversations with replies, and when the last one came (a ts). */
  talks: z.record(z.string(), z.string()),
});
export type Round = z.infer<typeof round>;

const channelState = z.object({
  /** The sweep over all channels in which it was last read to the end, and when that began, integer ms. */
  swept: z.number(),
  until: z.number().optional(),
  /** Digest of who may read it. */
  readers: z.string(),
  /** What was met in the window before `until`. */
  ids: z.array(z.string()),
  /** Conversations that may go on: when their last reply came. */
  talks: z.record(z.string(), z.string()),
  round: round.optional(),
});
export type ChannelState = z.infer<typeof channelState>;

export const cursorForm = z.object({
  version: z.literal(1),
  sweep: z.number(),
  /** The sweep came to its end. */
  done: z.boolean(),
  /** When history was last asked for, integer ms; told where that is limited. */
  calledAt: z.number().optional(),
  channels: z.record(z.string(), channelState),
});
export type Cursor = z.infer<typeof cursorForm>;

const day = 86_400_000;
/** What is younger is read again in each round: edits and deletions show there. */
const windowMs = 3 * day;
/** A conversation that rests for longer is not asked for replies any more. */
const talkMs = 14 * day;
/** Asked for new replies in each round, of those whose first message is older than the window. */
const mostTalks = 10;

export const newState = (): ChannelState => ({ swept: 0, readers: '', ids: [], talks: {} });

/** Whether a conversation whose last reply has this ts is asked for replies again. */
export const mayGoOn = (last: string, now: number): boolean => Number(last) * 1000 >= now - talkMs;

export function beginRound(
  state: ChannelState,
  given: { now: number; readers: string; paced: boolean },
): Round {
  const { now, readers, paced } = given;
  const window = tsOf((state.until ?? now) - windowMs);
  // Who may read it has changed: every record of it says so.
  const whole = state.until === undefined || state.readers !== readers;
  const old = Object.keys(state.talks).filter((ts) => ts <= window);
  return {
    began: now,
    from: whole ? '0' : window,
    readers,
    read: false,
    // Each takes a call: where those are few, they are left for what is new.
    queue: whole || paced ? [] : old,
    noted: window,
    ids: [],
    talks: {},
  };
}

/** @param id `ts`, or `ts/file` */
export function meet(round: Round, id: string): void {
  if (id > round.noted) round.ids.push(id);
}

/**
 * The channel was read to its end.
 * @returns what was there before, and is no more
 */
export function endRound(state: ChannelState, sweep: number): string[] {
  const { round } = state;
  if (round === undefined) return [];
  const met = new Set(round.ids);
  const gone = state.ids.filter((id) => id > round.noted && !met.has(id));
  // What the next round compares.
  const kept = tsOf(round.began - windowMs);
  const talks = Object.entries(round.talks).sort(([, one], [, other]) => (one < other ? 1 : -1));
  const young = talks.filter(([ts]) => ts > kept);
  const old = talks.filter(([ts]) => ts <= kept).slice(0, mostTalks);
  state.swept = sweep;
  state.until = round.began;
  state.readers = round.readers;
  state.ids = [...met].filter((id) => id > kept);
  state.talks = Object.fromEntries([...young, ...old]);
  delete state.round;
  return gone;
}
