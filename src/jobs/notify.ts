// Tells the person at this desktop that a proposal waits: at most once a minute an org, whatever the number of
// processes, with all that came meanwhile in one.
import type { Clock } from '../clock.ts';
import { newToken } from '../ids.ts';
import type { Log } from '../log.ts';
import type { Action, Queue } from '../queue/queue.ts';
import { acquireLease } from '../store/lease.ts';
import type { OrgStore } from '../store/store.ts';
import type { Notice } from './notify-desktop.ts';

const quietMs = 60_000;
const turn = 'desktop-notice';

export interface Notices {
  stop(): Promise<void>;
}

/** @param given.show false: there is nothing that shows it, and nothing is tried again */
export function startNotices(given: {
  queue: Pick<Queue, 'onMove' | 'get'>;
  orgFor(orgId: string): Promise<OrgStore>;
  show(notice: Notice): Promise<boolean>;
  clock: Clock;
  log: Log;
}): Notices {
  const { queue, clock, log } = given;
  const owner = newToken(12);
  const stopped = new AbortController();
  const { signal } = stopped;
  /** By org: what was proposed and not told yet. */
  const waiting = new Map<string, Set<string>>();
  const running = new Set<Promise<void>>();

  /** Of those, what still waits for a decision. */
  async function stillPending(org: OrgStore, ids: Iterable<string>): Promise<Action[]> {
    const actions = await Promise.all([...ids].map((id) => queue.get(org, id)));
    return actions.filter(({ status }) => status === 'pending');
  }

  async function tell(orgId: string, ids: Set<string>): Promise<void> {
    const org = await given.orgFor(orgId);
    // Not given back: it runs out when the next notice may come.
    while ((await acquireLease(org, { name: turn, owner, ttlMs: quietMs })) === undefined) {
      await clock.sleep(quietMs, { signal, unref: true });
    }
    waiting.delete(orgId);
    const pending = await stillPending(org, ids);
    if (pending.length > 0 && !(await given.show(noticeOf(pending)))) {
      log.info('no program here shows notices on the desktop');
      stop();
    }
  }

  const stop = queue.onMove((orgId, action) => {
    // Put off: nothing new, and whoever did it wants quiet.
    if (action.status !== 'pending' || action.snoozedUntil !== undefined || signal.aborted) return;
    const ids = waiting.get(orgId);
    if (ids !== undefined) {
      ids.add(action.id);
      return;
    }
    const own = new Set([action.id]);
    waiting.set(orgId, own);
    const told = tell(orgId, own).catch((err: unknown) => {
      waiting.delete(orgId);
      if (!signal.aborted) log.warn({ err }, 'no notice was shown on the desktop');
    });
    running.add(told);
    told.finally(() => running.delete(told));
  });

  return {
    async stop() {
      stop();
      stopped.abort();
      await Promise.all(running);
    },
  };
}

/** One by its summary, several by their number. */
function noticeOf(pending: readonly Action[]): Notice {
  const [first] = pending;
  const title =
    pending.length === 1 ? 'Drawbridge: a decision waits' : `Drawbridge: ${pending.length} decisions wait`;
  return { title, text: first === undefined ? '' : `${first.proposedBy.name}: ${first.summary}` };
}
