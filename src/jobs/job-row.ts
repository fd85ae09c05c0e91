// The row that every piece of background work opens: what it is about, and that it runs.
import type { Transaction } from 'kysely';
import { newId } from '../ids.ts';
import { toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';

/** `source`: what the work reads, as its kind names it. Returns the row's id. */
export async function insertJob(
  tx: Transaction<OrgTables>,
  orgId: string,
  job: { kind: 'import' | 'sync'; connectionId: string; source: readonly string[]; cause?: string },
  now: number,
): Promise<string> {
  const id = newId('job', now);
  await tx
    .insertInto('ingestion_jobs')
    .values({
      org_id: orgId,
      id,
      connection_id: job.connectionId,
      kind: job.kind,
      state: 'running',
      source: toJson(job.source),
      total: null,
      seen: 0,
      inserted: 0,
      updated: 0,
      unchanged: 0,
      deleted: 0,
      rejected: 0,
      problems: toJson([]),
      resume: null,
      started_at: now,
      updated_at: now,
      finished_at: null,
      cause: job.cause ?? null,
    })
    .execute();
  return id;
}
