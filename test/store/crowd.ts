// Many processes on one org at once, and the account of what became of their work.
import type { Store } from '../../src/store/store.ts';
import { start } from './child.ts';
import type { Place } from './fixtures/place.ts';
import type { WorkerReport, WorkerTask } from './fixtures/worker.ts';

export interface CrowdReport {
  workers: WorkerReport[];
  /** A process that only waits: what the machine itself adds to every event loop. */
  witness: WorkerReport;
  /** What the database holds at the end. */
  kept: { rows: number; counter: number; claims: number };
}

/** Runs `processes` workers and a witness for `seconds`. */
export async function runCrowd(
  store: Store,
  place: Place,
  { processes, seconds }: { processes: number; seconds: number },
): Promise<CrowdReport> {
  const org = await store.forOrg(await store.createOrg('Brightwater Homes'));
  const connectionId = 'con_crowd';
  await org.write(async (tx) => {
    await tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id: connectionId,
        provider: 'mailbox',
        account: 'a',
        label: 'a',
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute();
    await tx
      .insertInto('leases')
      .values({ org_id: org.orgId, name: 'counter', owner: 'all', fencing: 0, until: 0 })
      .execute();
  });
  const run = async (worker: number, witness: boolean): Promise<WorkerReport> => {
    const task: WorkerTask = { place, orgId: org.orgId, connectionId, worker, seconds, witness };
    const { code, out, err } = await start('worker.ts', task).ended;
    if (code !== 0) throw new Error(`worker ${worker} ended with ${code}: ${err}`);
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as WorkerReport;
  };
  const [witness, ...workers] = await Promise.all([
    run(-1, true),
    ...Array.from({ length: processes }, (_, worker) => run(worker, false)),
  ]);
  if (witness === undefined) throw new Error('there is a witness');
  const kept = await org.read(async (db) => {
    const count = db.fn.countAll<number>().as('n');
    const rows = await db.selectFrom('connection_events').select(count).executeTakeFirstOrThrow();
    const claims = await db
      .selectFrom('leases')
      .select(count)
      .where('name', 'like', 'claim %')
      .executeTakeFirstOrThrow();
    const counter = await db
      .selectFrom('leases')
      .select('until')
      .where('name', '=', 'counter')
      .executeTakeFirstOrThrow();
    return { rows: rows.n, claims: claims.n, counter: counter.until };
  });
  return { workers, witness, kept };
}

export function total(
  workers: WorkerReport[],
  of: 'written' | 'counted' | 'claimed' | 'refused' | 'reads',
): number {
  return workers.reduce((sum, worker) => sum + worker[of], 0);
}
