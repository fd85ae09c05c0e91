// The record of one import: how far it came, so that a killed one goes on where it was.
import type { Clock } from '../../clock.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { insertJob } from '../job-row.ts';

export interface Counts {
  /** Records met, rejected ones included. */
  seen: number;
  inserted: number;
  updated: number;
  unchanged: number;
  rejected: number;
}

/** The last record that is surely stored. */
export interface ResumePoint {
  file: string;
  next: number;
  size: number;
  /** SHA-256 of the file's beginning, hex; empty for a small file, which is read again from its start. */
  head: string;
}

export interface Problem {
  /** `file: line N`, `file: byte N`, or the file. */
  place: string;
  reason: string;
}

export interface ImportJob {
  id: string;
  startedAt: number;
  counts: Counts;
  /** The first of them; `counts.rejected` is their number. */
  problems: Problem[];
  resume: ResumePoint | undefined;
  resumed: boolean;
}

/** The unfinished job of the same paths, or a new one. */
export async function openJob(
  org: OrgStore,
  connectionId: string,
  paths: readonly string[],
  clock: Clock,
): Promise<ImportJob> {
  const source = toJson(paths);
  return org.write(async (tx) => {
    const now = clock.now();
    const last = await tx
      .selectFrom('ingestion_jobs')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .where('kind', '=', 'import')
      .where('source', '=', source)
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (last !== undefined && last.state !== 'completed' && last.resume !== null) {
      await tx
        .updateTable('ingestion_jobs')
        .set({ state: 'running', updated_at: now, finished_at: null })
        .where('org_id', '=', org.orgId)
        .where('id', '=', last.id)
        .execute();
      const { seen, inserted, updated, unchanged, rejected } = last;
      return {
        id: last.id,
        startedAt: last.started_at,
        counts: { seen, inserted, updated, unchanged, rejected },
        problems: fromJson<Problem[]>(last.problems),
        resume: fromJson<ResumePoint>(last.resume),
        resumed: true,
      };
    }
    const id = await insertJob(tx, org.orgId, { kind: 'import', connectionId, source: paths }, now);
    const counts = { seen: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0 };
    return { id, startedAt: now, counts, problems: [], resume: undefined, resumed: false };
  });
}

/** Stores how far the job is, or that it ended. */
export async function saveJob(
  org: OrgStore,
  job: ImportJob,
  state: 'running' | 'completed' | 'failed',
  clock: Clock,
): Promise<void> {
  const now = clock.now();
  await org.write(async (tx) => {
    await tx
      .updateTable('ingestion_jobs')
      .set({
        ...job.counts,
        state,
        problems: toJson(job.problems.slice(0, 100)),
        resume: job.resume === undefined ? null : toJson(job.resume),
        updated_at: now,
        finished_at: state === 'running' ? null : now,
      })
      .where('org_id', '=', org.orgId)
      .where('id', '=', job.id)
      .execute();
  });
}
