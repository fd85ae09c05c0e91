// The row that tells of one sync: how far it came, what it brought, and what it could not read.
import type { Clock } from '../clock.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import { insertJob } from './job-row.ts';

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

/**
 * Opens the row of a sync. The caller holds the connection's lease, so a row that still says `running` is of a
 * process that died.
 */
export async function beginSyncJob(
  org: OrgStore,
  connectionId: string,
  feeds: readonly string[],
  clock: Clock,
): Promise<string> {
  const now = clock.now();
  return org.write(async (tx) => {
    await tx
      .updateTable('ingestion_jobs')
      .set({
        state: 'failed',
        finished_at: now,
        problems: toJson([{ place: 'process', reason: 'it ended in the middle' }]),
      })
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .where('kind', '=', 'sync')
      .where('state', '=', 'running')
      .execute();
    return insertJob(tx, org.orgId, { kind: 'sync', connectionId, source: feeds }, now);
  });
}

/** `remaining`: records still to come, where the provider tells. */
export async function saveSyncJob(
  org: OrgStore,
  id: string,
  {
    counts,
    problems,
    remaining,
  }: { counts: SyncCounts; problems: readonly SyncProblem[]; remaining?: number },
  clock: Clock,
): Promise<void> {
  await org.write((tx) =>
    tx
      .updateTable('ingestion_jobs')
      .set({
        ...counts,
        total: remaining === undefined ? null : counts.seen + remaining,
        problems: toJson(problems.slice(0, keptProblems)),
        updated_at: clock.now(),
      })
      .where('org_id', '=', org.orgId)
      .where('id', '=', id)
      .execute(),
  );
}

export async function endSyncJob(
  org: OrgStore,
  id: string,
  end: { counts: SyncCounts; problems: readonly SyncProblem[]; completed: boolean },
  clock: Clock,
): Promise<void> {
  const now = clock.now();
  await org.write((tx) =>
    tx
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
      .execute(),
  );
}
