// Brings what is new at a provider into memory: every feed from its cursor, page by page, each page stored
// together with the cursor behind it. One process at a time syncs a connection; a feed that fails stops no other.
import type { Clock } from '../clock.ts';
import type { Connection, Connections } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { Memory } from '../memory/memory.ts';
import { acquireLease, type Lease, leaseEnds, releaseLease, renewLease } from '../store/lease.ts';
import type { OrgStore } from '../store/store.ts';
import { beginSyncJob, endSyncJob, type SyncCounts, type SyncProblem, saveSyncJob } from './sync-job.ts';

const leaseMs = 120_000;
const renewMs = 30_000;

export type SyncResult = SyncCounts;

interface SyncProgress extends SyncCounts {
  feed: string;
  /** Records still to come in this feed, where the provider tells. */
  remaining: number | undefined;
}

export interface SyncOptions {
  org: OrgStore;
  connection: Connection;
  connections: Connections;
  memory: Memory;
  clock: Clock;
  log: Log;
  onProgress?: (progress: SyncProgress) => void;
  /** Ends the run after the page at hand. */
  signal?: AbortSignal;
}

/**
 * Runs each feed of the connection to its end.
 * @throws DrawbridgeError `conflict` while another process syncs this connection; the first feed's error, naming
 * every feed that failed, once the others have run; the signal's reason when aborted.
 */
export async function syncConnection(options: SyncOptions): Promise<SyncResult> {
  const { org, connection, connections, clock, log } = options;
  const owner = newId('syn', clock.now());
  const lease = await acquireLease(org, { name: `sync/${connection.id}`, owner, ttlMs: leaseMs });
  if (lease === undefined) throw await heldElsewhere(org, connection);
  const stopped = new AbortController();
  const held = holdLease(org, lease, { clock, log, stop: stopped.signal });
  try {
    const failures = await runFeeds(options, held);
    const [first] = failures;
    if (first === undefined) {
      await connections.report(org, connection.id, { synced: true });
      return held.counts;
    }
    await connections.report(org, connection.id, { error: first.error });
    const said = failures.map(({ feed, error }) => `${feed}: ${error.message}`).join(' ');
    const { code, retry, retryAfterMs } = first.error;
    throw new DrawbridgeError(code, `${connection.label} was not synced completely. ${said}`, {
      retry,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause: first.error,
    });
  } finally {
    stopped.abort();
    await held.ended;
    await releaseLease(org, lease);
  }
}

/** Says how long another process's hold lasts unless it is renewed: that process may have died. */
async function heldElsewhere(org: OrgStore, { id, label }: Connection): Promise<DrawbridgeError> {
  const left = Math.max(1_000, (await leaseEnds(org, `sync/${id}`)) - (await org.now()));
  return new DrawbridgeError(
    'conflict',
    `${label} is being synced by another process right now. If that one was ended before it was done, its hold runs out in ${Math.ceil(left / 1_000)} s.`,
    { retry: 'later', retryAfterMs: Math.min(left, renewMs) },
  );
}

interface Held {
  counts: SyncCounts;
  ended: Promise<void>;
  /** @throws DrawbridgeError `conflict` once the lease is lost. */
  check(): void;
}

/** Renews the lease in the background until stopped. */
function holdLease(org: OrgStore, lease: Lease, with_: { clock: Clock; log: Log; stop: AbortSignal }): Held {
  const { clock, log, stop } = with_;
  let lost = false;
  async function renew(): Promise<void> {
    while (!stop.aborted && !lost) {
      const waited = await clock.sleep(renewMs, { signal: stop, unref: true }).then(
        () => true,
        () => false,
      );
      if (!waited) return;
      try {
        lost = (await renewLease(org, lease, leaseMs)) === undefined;
      } catch (error) {
        // The next turn tries again; the lease outlives three of them.
        log.warn({ err: error }, 'the lease of a sync could not be renewed');
      }
    }
  }
  return {
    counts: { seen: 0, inserted: 0, updated: 0, unchanged: 0, deleted: 0, rejected: 0 },
    ended: renew(),
    check() {
      if (!lost) return;
      throw new DrawbridgeError(
        'conflict',
        'This sync took too long and another process has taken it over.',
        {
          retry: 'later',
        },
      );
    },
  };
}

async function runFeeds(
  options: SyncOptions,
  held: Held,
): Promise<{ feed: string; error: DrawbridgeError }[]> {
  const { org, connection, connections, clock, log, signal } = options;
  const feeds = await connections.feeds(org, connection);
  const job = await beginSyncJob(
    org,
    connection.id,
    feeds.map(({ name }) => name),
    clock,
  );
  const failures: { feed: string; error: DrawbridgeError }[] = [];
  const problems: SyncProblem[] = [];
  let ended = false;
  try {
    for (const feed of feeds) {
      try {
        await runFeed(options, held, feed, { jobId: job, problems });
      } catch (thrown) {
        if (signal?.aborted === true) throw thrown;
        log.warn({ err: thrown, connectionId: connection.id, feed: feed.name }, 'a feed could not be synced');
        const error = toDrawbridgeError(thrown);
        failures.push({ feed: feed.name, error });
        problems.push({ place: feed.name, reason: error.message });
      }
    }
    ended = failures.length === 0;
    return failures;
  } finally {
    await endSyncJob(org, job, { counts: held.counts, problems, completed: ended }, clock);
  }
}

type Feed = Awaited<ReturnType<Connections['feeds']>>[number];

async function runFeed(
  { org, connection, memory, clock, onProgress, signal }: SyncOptions,
  held: Held,
  feed: Feed,
  { jobId, problems }: { jobId: string; problems: SyncProblem[] },
): Promise<void> {
  const { counts } = held;
  const source = { connectionId: connection.id, provider: connection.provider };
  signal?.throwIfAborted();
  for await (const page of feed.pages(await memory.cursor(org, connection.id, feed.name))) {
    signal?.throwIfAborted();
    held.check();
    const result = await memory.ingest(org, source, {
      records: page.records,
      deleted: page.deleted,
      ...(page.complete === undefined ? {} : { complete: page.complete }),
      cursor: { feed: feed.name, value: page.cursor },
    });
    counts.seen += page.records.length;
    counts.inserted += result.inserted;
    counts.updated += result.updated;
    counts.unchanged += result.unchanged;
    counts.deleted += result.deleted;
    counts.rejected += result.rejected.length;
    problems.push(...result.rejected.map(({ externalId, reason }) => ({ place: externalId, reason })));
    const remaining = page.remaining;
    await saveSyncJob(
      org,
      jobId,
      { counts, problems, ...(remaining === undefined ? {} : { remaining }) },
      clock,
    );
    onProgress?.({ ...counts, feed: feed.name, remaining });
  }
}
