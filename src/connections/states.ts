// The states of a connection: one table of allowed moves, one function that makes them. Each move is one
// UPDATE with the old state in its WHERE and one event row in the same transaction.
import type { Transaction, Updateable } from 'kysely';
import type { Audit, AuditMaker } from '../audit/audit.ts';
import { DrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { ConnectionState, OrgTables } from '../store/tables.ts';

const moves: Record<ConnectionState, readonly ConnectionState[]> = {
  PENDING: ['AUTHORIZING', 'REVOKED'],
  // Back to EXPIRED: the person did not go through with it.
  AUTHORIZING: ['CONNECTED', 'EXPIRED', 'REVOKED'],
  CONNECTED: ['ACTIVE', 'REVOKED'],
  ACTIVE: ['DEGRADED', 'ERROR', 'EXPIRED', 'REVOKED'],
  DEGRADED: ['ACTIVE', 'EXPIRED', 'REVOKED'],
  ERROR: ['ACTIVE', 'EXPIRED', 'REVOKED'],
  EXPIRED: ['AUTHORIZING', 'REVOKED'],
  REVOKED: ['DELETED'],
  DELETED: [],
};

/** States in which calls are made: a connection that failed is tried again, one without a credential is not. */
export const usableStates: readonly ConnectionState[] = ['ACTIVE', 'DEGRADED', 'ERROR'];

export function isUsable(state: ConnectionState): boolean {
  return usableStates.includes(state);
}

export function isAllowed(from: ConnectionState, to: ConnectionState): boolean {
  return moves[from].includes(to);
}

/** Where moves are recorded, and who makes them. */
export interface Recorder {
  /** Undefined: nowhere. */
  audit?: Pick<Audit, 'append'> | undefined;
  /** Undefined: Drawbridge itself, upon what a provider answered or did not. */
  mover?: Mover | undefined;
}

export interface Mover {
  by: AuditMaker;
  channel: string;
}

const ourselves: Mover = {
  by: { kind: 'drawbridge', id: 'drawbridge', name: 'Drawbridge' },
  channel: 'provider',
};

export interface Move {
  orgId: string;
  id: string;
  from: ConnectionState;
  to: ConnectionState;
  reason: string | null;
  /** Integer ms. */
  at: number;
  /** What else changes on its row, in the same statement. */
  set?: Pick<Updateable<OrgTables['connected_sources']>, 'last_error' | 'last_sync_at'>;
}

/**
 * Makes one move.
 * @throws DrawbridgeError `conflict` when the table does not allow it, or the connection is not in `from`.
 */
export async function move(recorder: Recorder, tx: Transaction<OrgTables>, step: Move): Promise<void> {
  const { orgId, id, from, to, reason, at, set = {} } = step;
  if (!isAllowed(from, to)) {
    throw new DrawbridgeError('conflict', `A connection that is ${from} cannot become ${to}.`);
  }
  const changed = await tx
    .updateTable('connected_sources')
    .set({ ...set, state: to, updated_at: at })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('state', '=', from)
    .executeTakeFirst();
  if (changed.numUpdatedRows !== 1n) {
    throw new DrawbridgeError('conflict', `The connection is no longer ${from}.`);
  }
  await writeEvent(recorder, tx, { orgId, id, from, to, reason, at });
}

/** The event, and its entry in the record, of a move, of a connection's beginning (`from` null), or of renewed credentials (no move). */
export async function writeEvent(
  recorder: Recorder,
  tx: Transaction<OrgTables>,
  event: Omit<Move, 'from' | 'set'> & { from: ConnectionState | null },
): Promise<void> {
  await tx
    .insertInto('connection_events')
    .values({
      org_id: event.orgId,
      id: newId('cev', event.at),
      connection_id: event.id,
      from_state: event.from,
      to_state: event.to,
      reason: event.reason,
      at: event.at,
    })
    .execute();
  if (recorder.audit === undefined) return;
  const { provider, account, label } = await tx
    .selectFrom('connected_sources')
    .select(['provider', 'account', 'label'])
    .where('org_id', '=', event.orgId)
    .where('id', '=', event.id)
    .executeTakeFirstOrThrow();
  const { by, channel } = recorder.mover ?? ourselves;
  await recorder.audit.append(tx, event.orgId, event.at, {
    kind: event.from === event.to ? 'connection.renewed' : `connection.${event.to.toLowerCase()}`,
    subject: event.id,
    by,
    channel,
    facts: { from: event.from, to: event.to, provider },
    // A reason may repeat what a provider said.
    values: { account, label, ...(event.reason === null ? {} : { reason: event.reason }) },
  });
}
