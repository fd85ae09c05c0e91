// Brings what is new at a provider into memory: every feed from its cursor, page by page, each page stored
// together with the cursor behind it. One process at a time syncs a connection; a feed that fails stops no other.
import type { Clock } from '../clock.ts';
import type { Connection, Connections } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import { attachedTo } from '../memory/documents/attached.ts';
import type { IngestBatch, Memory } from '../memory/memory.ts';
import type { FeedPage } from '../providers/define.ts';
import { holdLease } from '../store/hold.ts';
import { acquireLease, type Lease, leaseEnds, requireLease } from '../store/lease.ts';
import type { OrgStore } from '../store/store.ts';
import { forgetAgreed, judgeDeletions, liveRecords } from './sync-deletions.ts';
import {
  type BegunSync,
  beginSyncJob,
  endSyncJob,
  type SyncCounts,
  type SyncProblem,
  saveSyncJob,
} from './sync-job.ts';
import type { SyncCause } from './sync-schedule.ts';
import { until, watch } from './time-limits.ts';

export interface SyncTimes {
  /** A process that dies holds up its connection for so long. */
  leaseMs: number;
  heartbeatMs: number;
  runMs: number;
}
const usualTimes: SyncTimes = { leaseMs: 120_000, heartbeatMs: 600_000, runMs: 6 * 3_600_000 };

export interface SyncResult extends SyncCounts {
  /** Records that are gone at the provider and kept until a person decides. */
  held: number;
}

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
  /** Default: a person. */
  cause?: SyncCause;
  /** Every feed from its beginning: what is not there any more is found, too. */
  full?: boolean;
  times?: SyncTimes;
  onProgress?: (progress: SyncProgress) => void;
  /** Ends the run after the page at hand. */
  signal?: AbortSignal;
}

interface Run extends SyncOptions {
  times: SyncTimes;
  lease: Lease;
  lost: AbortSignal;
  /** Of `clock.elapsed`. */
  begun: number;
  /** All of the connection's. */
  feeds: readonly Feed[];
  job: BegunSync;
  counts: SyncCounts;
  problems: SyncProblem[];
}

/**
 * Runs each feed of the connection to its end.
 * @throws DrawbridgeError `conflict` while another process syncs this connection; the first feed's error, naming
 * every feed that failed, once the others have run; the signal's reason when aborted.
 */
export async function syncConnection(options: SyncOptions): Promise<SyncResult> {
  const { org, connection, connections, clock, log, times = usualTimes } = options;
  const owner = newId('syn', clock.now());
  const begun = clock.elapsed();
  const since = clock.now();
  const ttlMs = times.leaseMs;
  const lease = await acquireLease(org, { name: leaseName(connection.id), owner, ttlMs });
  if (lease === undefined) throw await heldElsewhere(org, connection);
  const hold = holdLease(org, lease, { ttlMs, clock, log });
  try {
    const feeds = await connections.feeds(org, connection);
    const job = await org.write(async (tx) => {
      await requireLease(org, tx, lease);
      return beginSyncJob(org, tx, {
        connectionId: connection.id,
        feeds: feeds.map(({ name }) => name),
        cause: options.cause ?? 'person',
        full: options.full === true,
        lastSyncAt: connection.lastSyncAt,
      });
    });
    const counts = { seen: 0, inserted: 0, updated: 0, unchanged: 0, deleted: 0, rejected: 0 };
    const lost = hold.lost;
    const about = { times, lease, lost, begun, job, counts, problems: [], feeds };
    const run: Run = { ...options, ...about };
    const { failures, held } = await runFeeds(run, feeds);
    const [first] = failures;
    if (first === undefined) {
      // While a person is asked about deletions, memory holds what the provider has not: no record is verified by this.
      await connections.report(org, connection.id, held > 0 ? { answered: true } : { synced: true, since });
      return { ...run.counts, held };
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
    await hold.end();
  }
}

/** Whoever holds it syncs the connection. */
export function leaseName(connectionId: string): string {
  return `sync/${connectionId}`;
}

/** Says how long another process's hold lasts unless it is renewed: that process may have died. */
async function heldElsewhere(org: OrgStore, { id, label }: Connection): Promise<DrawbridgeError> {
  const left = Math.max(1_000, (await leaseEnds(org, leaseName(id))) - (await org.now()));
  return new DrawbridgeError(
    'conflict',
    `${label} is being synced by another process right now. If that one was ended before it was done, its hold runs out in ${Math.ceil(left / 1_000)} s.`,
    { retry: 'later', retryAfterMs: Math.min(left, 30_000) },
  );
}

type Feed = Awaited<ReturnType<Connections['feeds']>>[number];
interface Failure {
  feed: string;
  error: DrawbridgeError;
}

async function runFeeds(run: Run, feeds: readonly Feed[]): Promise<{ failures: Failure[]; held: number }> {
  const { org, connection, log, signal } = run;
  const failures: Failure[] = [];
  let completed = false;
  try {
    for (const feed of feeds) {
      try {
        await runFeed(run, feed);
      } catch (thrown) {
        if (signal?.aborted === true || run.lost.aborted) throw thrown;
        log.warn({ err: thrown, connectionId: connection.id, feed: feed.name }, 'a feed could not be synced');
        const error = toDrawbridgeError(thrown);
        failures.push({ feed: feed.name, error });
        run.problems.push({ place: feed.name, reason: error.message });
      }
    }
    const held = await settleDeletions(run);
    completed = failures.length === 0;
    return { failures, held };
  } finally {
    const { counts, problems } = run;
    await endSyncJob(org, run.job.id, { counts, problems, completed, connectionId: connection.id });
  }
}

async function runFeed(run: Run, feed: Feed): Promise<void> {
  const { org, connection, memory, clock, log, times, begun, signal, onProgress } = run;
  signal?.throwIfAborted();
  const what = `${feed.name} of ${connection.label}`;
  const limits = watch(clock, { ...times, begun, what });
  const over = AbortSignal.any([limits.over, run.lost]);
  const left = (err: unknown) => log.debug({ err, feed: feed.name }, 'a feed was given up');
  try {
    const cursor = await memory.cursor(org, connection.id, feed.name);
    const whole = cursor === undefined ? new Set<string>() : undefined;
    let last: FeedPage | undefined;
    let complete = false;
    for await (const page of until(feed.pages(cursor), over, left)) {
      signal?.throwIfAborted();
      run.lost.throwIfAborted();
      await storePage(run, feed, page);
      limits.beat();
      complete ||= page.complete !== undefined;
      for (const { externalId } of page.records) whole?.add(externalId);
      last = page;
      onProgress?.({ ...run.counts, feed: feed.name, remaining: page.remaining });
    }
    // Read from its beginning, and without a list of its own: what was not met is not there.
    if (whole !== undefined && last !== undefined && !complete) {
      const deleted = await unmet(run, feed, whole);
      if (deleted.length > 0) await storePage(run, feed, { records: [], deleted, cursor: last.cursor });
    }
  } finally {
    limits.end();
  }
}

/** Live records of the feed that a run through all of it did not meet. */
async function unmet(run: Run, { name, feed }: Feed, met: ReadonlySet<string>): Promise<string[]> {
  const { org, connection } = run;
  const others = run.feeds.filter((one) => one.name !== name).flatMap((one) => one.feed.kinds);
  const kinds: readonly string[] = feed.kinds.filter((kind) => !others.includes(kind));
  // Where kinds do not tell its records from those of another feed, its ids may.
  const owns = feed.record?.owns ?? (() => false);
  const rows = await org.read((db) =>
    db
      .selectFrom('source_documents')
      .select(['external_id as id', 'kind'])
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connection.id)
      .where('deleted_at', 'is', null)
      .execute(),
  );
  return rows
    .filter(({ id, kind }) => attachedTo(id) === undefined && (kinds.includes(kind) || owns(id)))
    .map(({ id }) => id)
    .filter((id) => !met.has(id));
}

/** Stores a page, its cursor and what the job tells of it in one transaction, while the lease is held. */
async function storePage(run: Run, { name, feed }: Feed, page: FeedPage): Promise<void> {
  const { org, connection, memory } = run;
  const source = { connectionId: connection.id, provider: connection.provider };
  let told: Pick<Run, 'counts' | 'problems'> | undefined;
  await memory.ingest(org, source, {
    records: page.records,
    deleted: page.deleted,
    // A feed knows nothing of what other feeds of the account bring.
    ...(page.complete === undefined ? {} : { complete: { ...page.complete, kinds: feed.kinds } }),
    cursor: { feed: name, value: page.cursor },
    gather: true,
    async also(tx, result) {
      await requireLease(org, tx, run.lease);
      const { counts } = run;
      // The transaction may run again: nothing of `run` changes before it is through.
      told = {
        counts: {
          seen: counts.seen + page.records.length,
          inserted: counts.inserted + result.inserted,
          updated: counts.updated + result.updated,
          unchanged: counts.unchanged + result.unchanged,
          deleted: counts.deleted + result.deleted,
          rejected: counts.rejected + result.rejected.length,
        },
        problems: [
          ...run.problems,
          ...result.rejected.map(({ externalId, reason }) => ({ place: externalId, reason })),
        ],
      };
      const now = await org.now();
      await saveSyncJob(tx, org.orgId, run.job.id, { ...told, remaining: page.remaining, now });
    },
  });
  Object.assign(run, told);
}

/** Forgets what the whole run found gone, unless that is so much that a person is asked. Answers how many are held. */
async function settleDeletions(run: Run): Promise<number> {
  const { org, connection, memory, lease, job } = run;
  const held = await org.write(async (tx) => {
    await requireLease(org, tx, lease);
    const now = await org.now();
    const { forgotten } = job;
    // A first sync is measured by what it brought.
    const before = job.before === 0 ? await liveRecords(tx, org.orgId, connection.id) : job.before;
    return judgeDeletions(tx, { orgId: org.orgId, connectionId: connection.id, before, forgotten, now });
  });
  let counts = run.counts;
  const also: NonNullable<IngestBatch['also']> = async (tx, { deleted }) => {
    await requireLease(org, tx, lease);
    counts = { ...run.counts, deleted: run.counts.deleted + deleted };
    const now = await org.now();
    await saveSyncJob(tx, org.orgId, job.id, { counts, problems: run.problems, now });
    await tx
      .updateTable('sync_schedules')
      .set((row) => ({ forgotten: row('forgotten', '+', deleted) }))
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connection.id)
      .execute();
  };
  await forgetAgreed(org, memory, connection, { also, stored: () => Object.assign(run, { counts }) });
  return held;
}
