// What keeps memory up to date, as the pages, the terminal and the server see it.
import type { Audit } from '../audit/audit.ts';
import type { Person } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Connection, Connections } from '../connections/connections.ts';
import type { Log } from '../log.ts';
import type { Memory } from '../memory/memory.ts';
import type { OrgStore, Store } from '../store/store.ts';
import { createMessages, type QueueMetrics } from './messages/messages.ts';
import { decideDeletions } from './sync-deletions.ts';
import { forgetOldJobs } from './sync-job.ts';
import { type SyncOverview, type SyncState, syncOverview, syncStates } from './sync-overview.ts';
import { requestSync, syncQueue } from './sync-requests.ts';
import { ensureSchedule, nextRun, type SyncCause, setSchedule } from './sync-schedule.ts';
import { type SyncWorkers, startSyncWorkers, type WorkerTimes } from './sync-workers.ts';

/** Ended runs that are kept, a connection. */
const keptJobs = 50;
const keptMessagesMs = 7 * 24 * 3_600_000;

export interface Ingestion {
  /**
   * Asks for a sync; it is done by whichever process is free. False: it is paused, and a webhook or the clock asks.
   * @throws DrawbridgeError `not_found`; `invalid_request` for an account without feeds
   */
  request(org: OrgStore, connectionId: string, asked: { cause: SyncCause; full?: boolean }): Promise<boolean>;
  /** `everyMs` null: each night. A paused connection is synced when a person asks. */
  change(
    org: OrgStore,
    connection: Connection,
    set: { everyMs?: number | null; paused?: boolean },
  ): Promise<void>;
  /** A person's answer about deletions that are held; how many records it was about. @throws DrawbridgeError `not_found` */
  decide(
    org: OrgStore,
    person: Person,
    given: { connection: Connection; answer: 'forget' | 'keep'; channel: string },
  ): Promise<number>;
  overview(org: OrgStore): Promise<SyncOverview[]>;
  /** Of connections by id; cheap enough to be asked each second. */
  states(org: OrgStore, connectionIds: readonly string[]): Promise<SyncState[]>;
  metrics(org: OrgStore): Promise<QueueMetrics>;
  /** Lets go of runs and messages that ended long ago. */
  retain(org: OrgStore): Promise<void>;
  /** Takes part in the work until stopped; `request` wakes it. */
  start(orgs: () => Promise<OrgStore[]>, options?: { times?: WorkerTimes; workers?: number }): SyncWorkers;
}

export function createIngestion(parts: {
  store: Store;
  connections: Connections;
  memory: Memory;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  log: Log;
}): Ingestion {
  const { store, connections, memory, audit, clock, log } = parts;
  const messages = createMessages(store);
  const started = new Set<SyncWorkers>();

  return {
    async request(org, connectionId, asked) {
      const taken = await requestSync(org, { connections, messages }, { connectionId, ...asked });
      for (const workers of started) workers.wake();
      return taken;
    },
    async change(org, { id, lastSyncAt }, { everyMs, paused }) {
      await org.write(async (tx) => {
        const now = await org.now();
        await ensureSchedule(tx, org.orgId, id, { now, lastSyncAt });
        await setSchedule(tx, org.orgId, id, {
          updated_at: now,
          ...(paused === undefined ? {} : { paused: paused ? 1 : 0 }),
          ...(everyMs === undefined
            ? {}
            : {
                every_ms: everyMs,
                next_at: nextRun(id, everyMs, everyMs === null ? now : (lastSyncAt ?? now)),
              }),
        });
      });
      for (const workers of started) workers.wake();
    },
    decide: (org, person, given) => decideDeletions(org, person, { audit, memory }, given),
    overview: (org) => syncOverview(org, connections),
    states: syncStates,
    metrics: (org) => messages.metrics(org, syncQueue),
    async retain(org) {
      await forgetOldJobs(org, keptJobs);
      await messages.sweep(org, syncQueue, keptMessagesMs);
    },
    start(orgs, options = {}) {
      const workers = startSyncWorkers({ orgs, connections, memory, messages, clock, log, ...options });
      started.add(workers);
      return {
        wake: workers.wake,
        async stop() {
          started.delete(workers);
          await workers.stop();
        },
      };
    },
  };
}
