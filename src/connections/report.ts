// What a live call or a sync says about its connection: trouble that passes degrades it, trouble that
// stays is an error, a refused credential expires it, and a success makes it active again.
import type { Clock } from '../clock.ts';
import { DrawbridgeError, type ErrorCode, toDrawbridgeError } from '../errors.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState } from '../store/tables.ts';
import { rowById } from './rows.ts';
import { isAllowed, isUsable, move, type Recorder } from './states.ts';

export type Report =
  /** `since`: when it began, integer ms; what changed after that it may not have seen. */
  | { synced: true; since?: number }
  | { answered: true }
  /** `version`: of the tokens that it happened with; where there are others by now it says nothing. */
  | { error: unknown; version?: number };

/** What is not here speaks about the call that was made, not about the connection. */
const states: Partial<Record<ErrorCode, ConnectionState>> = {
  // The account was not given up by a person here: the way back is to authorise it again.
  auth_expired: 'EXPIRED',
  auth_revoked: 'EXPIRED',
  rate_limited: 'DEGRADED',
  quota_exhausted: 'DEGRADED',
  provider_unavailable: 'DEGRADED',
  timeout: 'DEGRADED',
  network: 'DEGRADED',
  permission_denied: 'ERROR',
  malformed_response: 'ERROR',
  internal: 'ERROR',
};

/**
 * Records the outcome. A connection that is gone, that waits for a person, or that another report has just
 * moved stays as it is; a call that its caller gave up says nothing.
 */
export async function reportOutcome(
  org: OrgStore,
  { clock, audit }: { clock: Clock } & Pick<Recorder, 'audit'>,
  id: string,
  report: Report,
): Promise<void> {
  if ('error' in report && isGivenUp(report.error)) return;
  const at = clock.now();
  const error = 'error' in report ? toDrawbridgeError(report.error) : undefined;
  const to = error === undefined ? 'ACTIVE' : states[error.code];
  if (to === undefined) return;
  const recorded = org.write(async (tx) => {
    const row = await rowById(tx, org.orgId, id);
    if (row === undefined || !isUsable(row.state)) return;
    if ('error' in report && report.version !== undefined) {
      const tokens = await tx
        .selectFrom('oauth_tokens')
        .select('version')
        .where('org_id', '=', org.orgId)
        .where('connection_id', '=', id)
        .executeTakeFirst();
      if (tokens?.version !== report.version) return;
    }
    const set = {
      last_error: error === undefined ? null : toJson({ code: error.code, message: error.message, at }),
      ...('synced' in report ? { last_sync_at: report.since ?? at } : {}),
    };
    if (row.state !== to && isAllowed(row.state, to)) {
      const reason = error === undefined ? 'it answers again' : error.code;
      await move({ audit }, tx, { orgId: org.orgId, id, from: row.state, to, reason, at, set });
      return;
    }
    await tx
      .updateTable('connected_sources')
      .set({ ...set, updated_at: at })
      .where('org_id', '=', org.orgId)
      .where('id', '=', id)
      .execute();
  });
  try {
    await recorded;
  } catch (thrown) {
    // Another process moved the connection between our look and our move (PostgreSQL): its report stands.
    if (!(thrown instanceof DrawbridgeError && thrown.code === 'conflict')) throw thrown;
  }
}

/** By its caller, or because this process ends. */
function isGivenUp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || (error.cause instanceof Error && error.cause.name === 'AbortError');
}
