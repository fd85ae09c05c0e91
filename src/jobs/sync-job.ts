// The row that tells of one sync: how far it came, what it brought, and what it could not read. It is written in
// the transactions of what it counts.
import type { Transaction } from 'kysely';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { insertJob } from './job-row.ts';
import { liveRecords } from './sync-deletions.ts';
import { ensureSchedule, noteSuccess, type SyncCause } from './sync-schedule.ts';

type Tx = Transaction<OrgTables>;

const keptProblems = 100;

export interface SyncCounts {
  /** Records met, unchanged and unreadable ones included. */
  seen: number;
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  rejected: number;
}

export interface SyncProblem {
  /** A feed's name, or a record's external id. */
  place: string;
  reason: string;
}

export interface BegunSync {
  id: string;
  /** Live records when this sync began, and those forgotten since by runs of it that failed. */
  before: number;
  forgotten: number;
}

/**
 * Opens the row of a sync. The caller holds the connection's lease, so a row that still says `running` is of a
 * process that died. Where everything is wanted anew, the cursors go in the same transaction.
 */
export async function beginSyncJob(
  org: OrgStore,
  tx: Tx,
  given: {
    connectionId: string;
    feeds: readonly string[];
    cause: SyncCause;
    full: boolean;
    lastSyncAt: number | undefined;
  },
): Promise<BegunSync> {
  const { connectionId, feeds, cause } = given;
  const { orgId } = org;
  const now = await org.now();
  await tx
    .updateTable('ingestion_jobs')
    .set({
      state: 'failed',
      finished_at: now,
      problems: toJson([{ place: 'process', reason: 'it ended in the middle' }]),
    })
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .where('kind', '=', 'sync')
    .where('state', '=', 'running')
    .execute();
  const id = await insertJob(tx, orgId, { kind: 'sync', connectionId, source: feeds, cause }, now);
  await ensureSchedule(tx, orgId, connectionId, { now, lastSyncAt: given.lastSyncAt ?? now });
  const schedule = await tx
    .selectFrom('sync_schedules')
    .select(['full_wanted', 'live_before', 'forgotten'])
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .executeTakeFirstOrThrow();
  if (given.full || schedule.full_wanted === 1) {
    await tx
      .deleteFrom('sync_cursors')
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .execute();
  }
  const before = schedule.live_before ?? (await liveRecords(tx, orgId, connectionId));
  await tx
    .updateTable('sync_schedules')
    .set({ full_wanted: 0, waiting_since: null, live_before: before, updated_at: now })
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
  return { id, before, forgotten: schedule.forgotten };
}

/** `remaining`: records still to come, where the provider tells. */
export async function saveSyncJob(
  tx: Tx,
  orgId: string,
  id: string,
  given: {
    counts: SyncCounts;
    problems: readonly SyncProblem[];
    remaining?: number | undefined;
    now: number;
  },
): Promise<void> {
  const { counts, problems, remaining, now } = given;
  await tx
    .updateTable('ingestion_jobs')
    .set({
      ...counts,
      total: remaining === undefined ? null : counts.seen + remaining,
      problems: toJson(problems.slice(0, keptProblems)),
      updated_at: now,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

/** The row says how it ended, unless another process has taken the connection over and said so already. */
export async function endSyncJob(
  org: OrgStore,
  id: string,
  end: { counts: SyncCounts; problems: readonly SyncProblem[]; completed: boolean; connectionId: string },
): Promise<void> {
  await org.write(async (tx) => {
    const now = await org.now();
    const { numUpdatedRows } = await tx
      .updateTable('ingestion_jobs')
      .set({
        ...end.counts,
        state: end.completed ? 'completed' : 'failed',
        problems: toJson(end.problems.slice(0, keptProblems)),
        updated_at: now,
        finished_at: now,
      })
      .where('org_id', '=', org.orgId)
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst();
    if (!end.completed || numUpdatedRows !== 1n) return;
    await noteSuccess(tx, org.orgId, end.connectionId, now);
  });
}

/** Forgets ended runs of a connection beyond the newest `kept`. */
export async function forgetOldJobs(org: OrgStore, kept: number): Promise<void> {
  await org.write(async (tx) => {
    const connections = await tx
      .selectFrom('ingestion_jobs')
      .select('connection_id')
      .distinct()
      .where('org_id', '=', org.orgId)
      .execute();
    for (const { connection_id } of connections) {
      const last = await tx
        .selectFrom('ingestion_jobs')
        .select('id')
        .where('org_id', '=', org.orgId)
        .where('connection_id', '=', connection_id)
        .where('kind', '=', 'sync')
        .orderBy('id', 'desc')
        .offset(kept)
        .limit(1)
        .executeTakeFirst();
      if (last === undefined) continue;
      await tx
        .deleteFrom('ingestion_jobs')
        .where('org_id', '=', org.orgId)
        .where('connection_id', '=', connection_id)
        .where('kind', '=', 'sync')
        .where('state', '!=', 'running')
        .where('id', '<=', last.id)
        .execute();
    }
  });
}
