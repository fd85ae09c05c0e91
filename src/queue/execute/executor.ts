// Runs what is due, org by org, again and again. Nothing that happens to one action, one org or one look at
// the database ends the loop, and an org whose provider is stuck holds up no other.
import type { OrgStore } from '../../store/store.ts';
import { type QueueRoom, seconds } from '../room.ts';
import { nextHold } from './due.ts';
import { newPool, type Pool, round } from './run-due.ts';

const pollEvery = seconds;
const patience = 30 * seconds;

interface Lane {
  pool: Pool;
  looking: boolean;
  again: boolean;
  /** A hold ends before the next look: this one is made for it. */
  awaited: boolean;
}

export interface Executor {
  wake(): void;
  stop(): Promise<void>;
}

/** `orgs` is asked at each look, so that an org made later is served too. */
export function startExecutor(room: QueueRoom, orgs: () => Promise<OrgStore[]>): Executor {
  const stopping = new AbortController();
  const lanes = new Map<string, Lane>();
  let nap = new AbortController();

  function wake(): void {
    nap.abort();
  }

  async function look(org: OrgStore): Promise<void> {
    const lane = laneOf(org.orgId);
    if (lane.looking) {
      lane.again = true;
      return;
    }
    lane.looking = true;
    try {
      do {
        lane.again = false;
        await round(room, org, lane.pool, wake, stopping.signal);
        await awaitHold(org, lane);
      } while (lane.again && !stopping.signal.aborted);
    } catch (error) {
      room.log.error(
        { err: error, org: org.orgId },
        'The executor could not look at an org; it will look again',
      );
    } finally {
      lane.looking = false;
    }
  }

  /** A send leaves when its hold ends, not at the look after that. */
  async function awaitHold(org: OrgStore, lane: Lane): Promise<void> {
    if (lane.awaited || stopping.signal.aborted) return;
    const now = await org.now();
    const until = await nextHold(org, now, pollEvery);
    if (until === undefined) return;
    lane.awaited = true;
    const resting = room.clock.sleep(until - now, { signal: stopping.signal, unref: true });
    void resting.then(
      () => {
        lane.awaited = false;
        wake();
      },
      // Stopping: whoever looks next finds it.
      () => undefined,
    );
  }

  function laneOf(orgId: string): Lane {
    const known = lanes.get(orgId);
    if (known !== undefined) return known;
    const lane: Lane = { pool: newPool(), looking: false, again: false, awaited: false };
    lanes.set(orgId, lane);
    return lane;
  }

  const looks = new Set<Promise<void>>();
  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      nap = new AbortController();
      try {
        for (const org of await orgs()) {
          const looking = look(org).finally(() => looks.delete(looking));
          looks.add(looking);
        }
      } catch (error) {
        room.log.error({ err: error }, 'The executor could not list the orgs; it will try again');
      }
      // Woken early is as good as woken in time.
      await room.clock.sleep(pollEvery, { signal: nap.signal, unref: true }).catch(() => undefined);
    }
  }
  const looping = loop();

  async function settled(): Promise<void> {
    await looping;
    await Promise.all(looks);
    await Promise.all([...lanes.values()].flatMap((lane) => [...lane.pool.running]));
  }

  return {
    wake,
    async stop() {
      stopping.abort();
      wake();
      // What hangs longer is left to its lease: the next process finds it and looks it up.
      await Promise.race([settled(), room.clock.sleep(patience, { unref: true })]);
    },
  };
}
