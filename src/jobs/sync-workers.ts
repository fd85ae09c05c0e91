// Takes syncs that were asked for, org by org in turns, a few at a time. Any number of processes do so beside each
// other; what one of them leaves undone when it dies is taken up by another where it stood.
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import { isUsable } from '../connections/states.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Memory } from '../memory/memory.ts';
import type { OrgStore } from '../store/store.ts';
import type { Message, Messages } from './messages/messages.ts';
import { type SyncTimes, syncConnection } from './sync.ts';
import { requestDue, syncQueue } from './sync-requests.ts';
import { noteFailure, readSchedule, setSchedule } from './sync-schedule.ts';

export interface WorkerTimes extends SyncTimes {
  /** Before the first look, which no start waits for; and between two, ms. */
  firstMs: number;
  pollMs: number;
  /** Taken and not begun for so long, another takes it. */
  startMs: number;
  /** Begun and not heard of for so long, another takes it; said again each `keepMs`. */
  visibleMs: number;
  keepMs: number;
  /** What is asked for and not begun for so long is asked for again. */
  waitsAtMostMs: number;
}

export const usualTimes: WorkerTimes = {
  firstMs: 3_000,
  pollMs: 15_000,
  startMs: 60_000,
  visibleMs: 120_000,
  keepMs: 30_000,
  leaseMs: 120_000,
  heartbeatMs: 600_000,
  runMs: 6 * 3_600_000,
  waitsAtMostMs: 15 * 60_000,
};

/** A sync that ended with its process so often is not begun again before its next time. */
const mostReads = 5;
const patienceMs = 30_000;

const shape = z.object({
  connectionId: z.string(),
  cause: z.enum(['connect', 'schedule', 'person', 'webhook', 'recall']),
});

export interface SyncWorkers {
  wake(): void;
  stop(): Promise<void>;
}

export interface WorkerParts {
  orgs(): Promise<OrgStore[]>;
  connections: Connections;
  memory: Memory;
  messages: Messages;
  clock: Clock;
  log: Log;
  times?: WorkerTimes;
  /** Syncs at once in this process. */
  workers?: number;
}

export function startSyncWorkers(parts: WorkerParts): SyncWorkers {
  const { connections, messages, clock, log, times = usualTimes, workers = 3 } = parts;
  const stopping = new AbortController();
  const running = new Map<string, Set<Promise<void>>>();
  const feedless = new Set<string>();
  let nap = new AbortController();
  let lastServed: string | undefined;
  // One org's many accounts leave room for another's one.
  const mostAnOrg = Math.max(1, workers - 1);

  const wake = () => nap.abort();
  const busy = () => [...running.values()].reduce((sum, each) => sum + each.size, 0);

  /** The orgs, beginning behind the one that was served last. */
  function inTurn(orgs: readonly OrgStore[]): OrgStore[] {
    const sorted = [...orgs].sort((a, b) => (a.orgId < b.orgId ? -1 : 1));
    const from = sorted.findIndex(({ orgId }) => lastServed !== undefined && orgId > lastServed);
    return from === -1 ? sorted : [...sorted.slice(from), ...sorted.slice(0, from)];
  }

  async function round(): Promise<void> {
    const orgs = inTurn(await parts.orgs());
    for (const org of orgs) {
      if (stopping.signal.aborted) return;
      await tried(org, 'what is due could not be asked for', async () => {
        await requestDue(org, { connections, messages, waitsAtMostMs: times.waitsAtMostMs }, feedless);
        return false;
      });
    }
    for (let found = true; found; ) {
      found = false;
      for (const org of orgs) {
        if (stopping.signal.aborted || busy() >= workers) return;
        if ((running.get(org.orgId)?.size ?? 0) >= mostAnOrg) continue;
        found = (await tried(org, 'syncs could not be looked for', () => takeOne(org))) || found;
      }
    }
  }

  async function tried(org: OrgStore, what: string, work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work();
    } catch (error) {
      log.warn({ err: error, orgId: org.orgId }, what);
      return false;
    }
  }

  async function takeOne(org: OrgStore): Promise<boolean> {
    const [message] = await messages.read(org, syncQueue, { visibleInMs: times.startMs, quantity: 1 });
    if (message === undefined) return false;
    lastServed = org.orgId;
    const mine = running.get(org.orgId) ?? new Set();
    running.set(org.orgId, mine);
    const run: Promise<void> = tried(org, 'a sync was left', async () => {
      await runOne(org, message, { ...parts, times, signal: stopping.signal });
      return true;
    }).then(() => {
      mine.delete(run);
      if (mine.size === 0) running.delete(org.orgId);
      wake();
    });
    mine.add(run);
    return true;
  }

  async function loop(): Promise<void> {
    for (let waitMs = times.firstMs; ; waitMs = times.pollMs) {
      // Woken early is as good as woken in time.
      await clock.sleep(waitMs, { signal: nap.signal, unref: true }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      nap = new AbortController();
      try {
        await round();
      } catch (error) {
        log.warn({ err: error }, 'the orgs could not be listed');
      }
    }
  }
  const looping = loop();

  async function settled(): Promise<void> {
    await looping;
    await Promise.all([...running.values()].flatMap((each) => [...each]));
  }

  return {
    wake,
    async stop() {
      stopping.abort(new DrawbridgeError('conflict', 'This process ends.', { retry: 'later' }));
      wake();
      // What hangs longer is left to its lease and its message: another process takes both up.
      await Promise.race([settled(), clock.sleep(patienceMs, { unref: true })]);
    },
  };
}

interface RunParts extends WorkerParts {
  times: WorkerTimes;
  signal: AbortSignal;
}

async function runOne(org: OrgStore, message: Message, parts: RunParts): Promise<void> {
  const { connections, messages, memory, clock, log, times, signal } = parts;
  const done = () => messages.archive(org, syncQueue, message.id);
  const parsed = shape.safeParse(message.body);
  if (!parsed.success) {
    log.warn({ orgId: org.orgId, message: message.id }, 'a message asks for nothing that is known');
    await done();
    return;
  }
  const { connectionId, cause } = parsed.data;
  const connection = await connections.get(org, connectionId).catch((thrown: unknown) => {
    if (thrown instanceof DrawbridgeError && thrown.code === 'not_found') return undefined;
    throw thrown;
  });
  if (connection === undefined) {
    await done();
    return;
  }
  if (!isUsable(connection.state) || (await isCovered(org, connectionId, message))) {
    await org.write((tx) => setSchedule(tx, org.orgId, connectionId, { waiting_since: null }));
    await done();
    return;
  }
  if (message.readCount > mostReads) {
    const said = `It ended in the middle ${mostReads} times. The log of those processes tells why.`;
    await noteFailure(org, connectionId, new DrawbridgeError('internal', said, { retry: 'later' }));
    await org.write((tx) => setSchedule(tx, org.orgId, connectionId, { waiting_since: null }));
    await done();
    return;
  }
  const kept = keepTaken(org, message.id, parts);
  try {
    await syncConnection({ org, connection, connections, memory, clock, log, cause, times, signal });
    await done();
  } catch (thrown) {
    const error = toDrawbridgeError(thrown);
    if (signal.aborted) {
      await messages.setVisibility(org, syncQueue, message.id, 0);
    } else if (error.code === 'conflict' && error.retry === 'later') {
      // Somebody else syncs it: what this message stands for may have come after that one looked.
      const delayMs = error.retryAfterMs ?? times.keepMs;
      await messages.send(org, syncQueue, message.body, { delayMs });
      await done();
    } else {
      log.info({ err: thrown, connectionId }, 'a sync failed');
      await noteFailure(org, connectionId, error);
      await done();
    }
  } finally {
    await kept.end();
  }
}

/** Whether a sync that began after this was asked for has brought all that it would. */
async function isCovered(org: OrgStore, connectionId: string, message: Message): Promise<boolean> {
  const schedule = await readSchedule(org, connectionId);
  if (schedule?.full_wanted === 1) return false;
  const later = await org.read((db) =>
    db
      .selectFrom('ingestion_jobs')
      .select('id')
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .where('kind', '=', 'sync')
      .where('state', '=', 'completed')
      .where('started_at', '>', message.enqueuedAt)
      .limit(1)
      .executeTakeFirst(),
  );
  return later !== undefined;
}

/** Keeps the message from others as long as this process lives and works on it. */
function keepTaken(
  org: OrgStore,
  id: string,
  { messages, clock, log, times }: RunParts,
): { end(): Promise<void> } {
  const stop = new AbortController();
  async function keep(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await messages.setVisibility(org, syncQueue, id, times.visibleMs);
      } catch (error) {
        log.warn({ err: error }, 'a message could not be kept; the next turn tries again');
      }
      const waited = await clock.sleep(times.keepMs, { signal: stop.signal, unref: true }).then(
        () => true,
        () => false,
      );
      if (!waited) return;
    }
  }
  const keeping = keep();
  return {
    async end() {
      stop.abort();
      await keeping;
    },
  };
}
