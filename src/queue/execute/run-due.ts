// One round over what is due in an org: expire, take back, run, look up. No more at once than the pool
// holds, and one connection cannot fill it.
import type { OrgStore } from '../../store/store.ts';
import { expire } from '../decide/expire.ts';
import { type QueueRoom, seconds } from '../room.ts';
import { claim, recover } from './claim.ts';
import { type DueRow, dueActions } from './due.ts';
import { execute } from './execute.ts';
import { reconcile } from './reconcile.ts';

const mostAtOnce = 4;
const mostOfOneConnection = 2;
// After an error of our own (a database that cannot write, say) an action is left alone for a moment.
const restAfterError = 5 * seconds;

/** The work that an org has under way in this process. */
export interface Pool {
  readonly running: Set<Promise<void>>;
  readonly busy: Map<string, number>;
  readonly actions: Set<string>;
  /** Actions left alone until this monotonic time. */
  readonly resting: Map<string, number>;
  moved: number;
}

export function newPool(): Pool {
  return { running: new Set(), busy: new Map(), actions: new Set(), resting: new Map(), moved: 0 };
}

/**
 * Does at once what needs no provider, and starts what does, as far as the pool has room.
 * @returns how many pieces of work were started or done.
 */
export async function round(
  room: QueueRoom,
  org: OrgStore,
  pool: Pool,
  ended: () => void,
  signal?: AbortSignal,
): Promise<number> {
  const now = await org.now();
  // A jump is seen by having looked before it.
  room.steady.trusts(now);
  let done = 0;
  for (const due of await dueActions(room, org, now)) {
    if (signal?.aborted === true) return done;
    if (!hasRoom(room, pool, due)) continue;
    if (due.status === 'approved' || due.status === 'unknown') {
      start(room, org, pool, due, ended);
      done += 1;
    } else if (await tidy(room, org, pool, due, now)) {
      done += 1;
      pool.moved += 1;
    }
  }
  return done;
}

/** What needs no provider. One that fails is logged, and holds up no other. */
async function tidy(room: QueueRoom, org: OrgStore, pool: Pool, due: DueRow, now: number): Promise<boolean> {
  try {
    return due.status === 'pending' ? await expire(room, org, due, now) : await recover(room, org, due, now);
  } catch (error) {
    letRest(room, pool, due, error);
    return false;
  }
}

function letRest(room: QueueRoom, pool: Pool, due: DueRow, error: unknown): void {
  pool.resting.set(due.id, room.clock.elapsed() + restAfterError);
  room.log.error({ err: error, action: due.id }, 'An action could not be worked on; it will be tried again');
}

function hasRoom(room: QueueRoom, pool: Pool, due: DueRow): boolean {
  const rest = pool.resting.get(due.id);
  if (rest !== undefined) {
    if (room.clock.elapsed() < rest) return false;
    pool.resting.delete(due.id);
  }
  if (due.status === 'pending' || due.status === 'executing') return true;
  return (
    pool.running.size < mostAtOnce &&
    (pool.busy.get(due.connection_id) ?? 0) < mostOfOneConnection &&
    !pool.actions.has(due.id)
  );
}

function start(room: QueueRoom, org: OrgStore, pool: Pool, due: DueRow, ended: () => void): void {
  pool.busy.set(due.connection_id, (pool.busy.get(due.connection_id) ?? 0) + 1);
  pool.actions.add(due.id);
  const running = work(room, org, due)
    .then(
      (moved) => {
        if (moved) pool.moved += 1;
      },
      (error) => letRest(room, pool, due, error),
    )
    .finally(() => {
      pool.running.delete(running);
      pool.actions.delete(due.id);
      pool.busy.set(due.connection_id, (pool.busy.get(due.connection_id) ?? 1) - 1);
      ended();
    });
  pool.running.add(running);
}

async function work(room: QueueRoom, org: OrgStore, due: DueRow): Promise<boolean> {
  if (due.status === 'unknown') return reconcile(room, org, due);
  const row = await claim(room, org, due);
  if (row === undefined) return false;
  await execute(room, org, row);
  return true;
}

/** Rounds until nothing is due and nothing runs. @returns how many actions were moved. */
export async function runDue(room: QueueRoom, org: OrgStore, signal?: AbortSignal): Promise<number> {
  const pool = newPool();
  const nothing = () => undefined;
  for (;;) {
    const done = signal?.aborted === true ? 0 : await round(room, org, pool, nothing, signal);
    if (pool.running.size > 0) await Promise.race(pool.running);
    else if (done === 0) return pool.moved;
  }
}
