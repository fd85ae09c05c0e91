// What the log of calls tells of a time: how often each provider's operations were called, how that ended and
// how long it took, over all processes; and what failed last.
import type { OrgStore } from '../store/store.ts';

export interface CallMetric {
  provider: string;
  operation: string;
  /** `ok`, an HTTP status, or the code of an error. */
  outcome: string;
  count: number;
  /** Mean of a whole call, its redirects and attempts included. */
  meanMs: number;
}

export interface CallFailure {
  provider: string;
  connectionId: string | undefined;
  operation: string;
  /** One of the 13 codes. */
  code: string;
  message: string;
  /** Integer ms. */
  at: number;
}

/** By provider, operation and outcome, the most frequent first. `since`: integer ms. */
export async function callMetrics(org: OrgStore, since: number): Promise<CallMetric[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('mcp_call_logs')
      .select(['provider', 'operation', 'outcome'])
      .select((column) => [
        column.fn.countAll<number | string>().as('count'),
        column.fn.sum<number | string>('ms').as('ms'),
      ])
      .where('org_id', '=', org.orgId)
      .where('at', '>=', since)
      .groupBy(['provider', 'operation', 'outcome'])
      .execute(),
  );
  return rows
    .map(({ provider, operation, outcome, count, ms }) => ({
      provider,
      operation,
      outcome,
      count: Number(count),
      meanMs: Math.round(Number(ms) / Number(count)),
    }))
    .sort((a, b) => b.count - a.count);
}

/** The newest first. */
export async function lastFailures(org: OrgStore, limit: number): Promise<CallFailure[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('integration_errors')
      .select(['provider', 'connection_id', 'operation', 'code', 'message', 'at'])
      .where('org_id', '=', org.orgId)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
  );
  return rows.map(({ connection_id, ...row }) => ({ ...row, connectionId: connection_id ?? undefined }));
}
