// How long calls and errors are kept: 90 days unless configured, and so many rows at most. Forgetting is done in small deletes,
// so that nobody waits behind it.
import type { OrgStore } from '../store/store.ts';

const day = 24 * 3_600_000;
export const keptMs = 90 * day;
export const keptRows = { mcp_call_logs: 100_000, integration_errors: 10_000 } as const;
/** A limit that nobody used for so long is full again. */
const idleLimitMs = 2 * day;
const batch = 1000;
const mostBatches = 20;

/** Deletes what is older than `keep` (milliseconds) or too much, a bounded number of rows a run. Returns how many. */
export async function forgetOld(org: OrgStore, keep = keptMs): Promise<number> {
  let forgotten = 0;
  for (const table of ['mcp_call_logs', 'integration_errors'] as const) {
    for (let round = 0; round < mostBatches; round += 1) {
      const deleted = await forgetSome(org, table, keep);
      forgotten += deleted;
      if (deleted < batch) break;
    }
  }
  await org.write(async (tx) => {
    const now = await org.now();
    await tx
      .deleteFrom('rate_limits')
      .where('org_id', '=', org.orgId)
      .where('updated_at', '<', now - idleLimitMs)
      .execute();
  });
  return forgotten;
}

async function forgetSome(
  org: OrgStore,
  table: 'mcp_call_logs' | 'integration_errors',
  keep: number,
): Promise<number> {
  const { orgId } = org;
  return org.write(async (tx) => {
    const beyond = await tx
      .selectFrom(table)
      .select('at')
      .where('org_id', '=', orgId)
      .orderBy('at', 'desc')
      .offset(keptRows[table])
      .limit(1)
      .executeTakeFirst();
    const oldest = (await org.now()) - keep;
    // Rows of one millisecond stay or go together: the newest of them may be a row too few.
    const before = Math.max(oldest, beyond === undefined ? 0 : beyond.at + 1);
    const rows = await tx
      .selectFrom(table)
      .select('id')
      .where('org_id', '=', orgId)
      .where('at', '<', before)
      .orderBy('at')
      .limit(batch)
      .execute();
    if (rows.length === 0) return 0;
    await tx
      .deleteFrom(table)
      .where('org_id', '=', orgId)
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute();
    return rows.length;
  });
}
