// How every connection's syncing stands: what it brought, what runs, what went wrong, what is asked, what is next.
import type { Selectable } from 'kysely';
import type { Connection, Connections } from '../connections/connections.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { leaseName } from './sync.ts';
import { type DeletionsAsked, deletionsAsked } from './sync-deletions.ts';
import type { SyncCounts, SyncProblem } from './sync-job.ts';
import { type Schedule, toSchedule } from './sync-schedule.ts';

export interface JobTold extends SyncCounts {
  id: string;
  /** `stopped`: it says that it runs, and its process is gone. */
  state: 'running' | 'completed' | 'failed' | 'stopped';
  cause: string | undefined;
  /** Records that it will meet, where the provider tells. */
  total: number | undefined;
  /** The first of them. */
  problems: SyncProblem[];
  startedAt: number;
  updatedAt: number;
  finishedAt: number | undefined;
}

export interface SyncState {
  connectionId: string;
  schedule: Schedule | undefined;
  /** The newest run; undefined: none yet. */
  last: JobTold | undefined;
  asked: DeletionsAsked | undefined;
}

export interface SyncOverview extends SyncState {
  connection: Connection;
  /** Live documents by kind, attachments as `file`. */
  items: Record<string, number>;
}

const problemsShown = 5;

function toJob(job: Selectable<OrgTables['ingestion_jobs']>, live: boolean): JobTold {
  return {
    id: job.id,
    state: job.state === 'running' && !live ? 'stopped' : job.state,
    cause: job.cause ?? undefined,
    total: job.total ?? undefined,
    problems: fromJson<SyncProblem[]>(job.problems).slice(0, problemsShown),
    startedAt: job.started_at,
    updatedAt: job.updated_at,
    finishedAt: job.finished_at ?? undefined,
    seen: job.seen,
    inserted: job.inserted,
    updated: job.updated,
    unchanged: job.unchanged,
    deleted: job.deleted,
    rejected: job.rejected,
  };
}

/** Of the connections given; cheap enough to be asked each second. */
export async function syncStates(org: OrgStore, connectionIds: readonly string[]): Promise<SyncState[]> {
  const { orgId } = org;
  return org.read(async (db) => {
    const now = await org.now();
    const states: SyncState[] = [];
    for (const connectionId of connectionIds) {
      const schedule = await db
        .selectFrom('sync_schedules')
        .selectAll()
        .where('org_id', '=', orgId)
        .where('connection_id', '=', connectionId)
        .executeTakeFirst();
      const job = await db
        .selectFrom('ingestion_jobs')
        .selectAll()
        .where('org_id', '=', orgId)
        .where('connection_id', '=', connectionId)
        .where('kind', '=', 'sync')
        .orderBy('started_at', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      const lease = await db
        .selectFrom('leases')
        .select('until')
        .where('org_id', '=', orgId)
        .where('name', '=', leaseName(connectionId))
        .executeTakeFirst();
      states.push({
        connectionId,
        schedule: schedule === undefined ? undefined : toSchedule(schedule),
        last: job === undefined ? undefined : toJob(job, (lease?.until ?? 0) > now),
        asked: await deletionsAsked(db, orgId, connectionId),
      });
    }
    return states;
  });
}

/** Every connection that has something to sync. */
export async function syncOverview(
  org: OrgStore,
  connections: Pick<Connections, 'list'>,
): Promise<SyncOverview[]> {
  const all = (await connections.list(org)).filter(({ hasFeeds }) => hasFeeds);
  const states = await syncStates(
    org,
    all.map(({ id }) => id),
  );
  const counts = await org.read((db) =>
    db
      .selectFrom('source_documents')
      .select((is) => ['connection_id', 'kind', is.fn.countAll().as('count')])
      .where('org_id', '=', org.orgId)
      .where('deleted_at', 'is', null)
      .groupBy(['connection_id', 'kind'])
      .execute(),
  );
  return all.flatMap((connection, index) => {
    const state = states[index];
    if (state === undefined) return [];
    const items = Object.fromEntries(
      counts
        .filter((row) => row.connection_id === connection.id)
        .map((row) => [row.kind, Number(row.count)] as const)
        .sort(([, a], [, b]) => b - a),
    );
    return [{ ...state, connection, items }];
  });
}
