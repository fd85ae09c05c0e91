// The one table of an action's allowed moves, and the one function that makes them: one UPDATE with the old
// state in its WHERE, one event row, one transaction. Whoever comes second changes nothing.
import type { Transaction } from 'kysely';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionStatus, OrgTables } from '../store/tables.ts';
import { entryOf } from './entry.ts';
import type { ActionRow } from './envelope.ts';
import type { Action, Channel } from './queue.ts';
import { actionOf } from './read.ts';
import type { QueueRoom } from './room.ts';

export const allowedMoves: Readonly<Record<ActionStatus, readonly ActionStatus[]>> = {
  pending: ['approved', 'rejected', 'expired', 'cancelled'],
  approved: ['executing', 'cancelled'],
  // Back to approved or pending only while it is certain that nothing was sent.
  executing: ['completed', 'failed', 'unknown', 'approved', 'pending'],
  unknown: ['completed', 'failed'],
  completed: [],
  failed: [],
  rejected: [],
  expired: [],
  cancelled: [],
};

export function isFinal(status: ActionStatus): boolean {
  return allowedMoves[status].length === 0;
}

/** Who moved it, as the event row keeps it. */
export interface Mover {
  kind: 'person' | 'agent' | 'policy' | 'executor' | 'clock';
  id: string;
  name: string;
}

export interface Move {
  actionId: string;
  from: ActionStatus;
  to: ActionStatus;
  /** Database time. */
  at: number;
  by: Mover;
  channel: Channel;
  detail?: Record<string, unknown>;
  set?: Partial<Omit<ActionRow, 'org_id' | 'id' | 'status'>>;
  /** Only while this lease is still ours. */
  held?: Lease;
  /** Only while lease and sending mark are as they were read. */
  unchanged?: Pick<ActionRow, 'fencing' | 'lease_until' | 'sending_at'>;
  /** Only while the row carries this hash. */
  hash?: string;
}

export interface Lease {
  owner: string;
  fencing: number;
}

/**
 * Makes one move inside a transaction.
 * @returns the row after it, or undefined when the action was not (or no longer) where the move begins.
 * @throws Error for a move that the table does not allow: that is a mistake of ours, never of a caller.
 */
export async function move(
  room: Pick<QueueRoom, 'audit'>,
  tx: Transaction<OrgTables>,
  orgId: string,
  made: Move,
): Promise<ActionRow | undefined> {
  if (!allowedMoves[made.from].includes(made.to)) {
    throw new Error(`An action does not go from ${made.from} to ${made.to}`);
  }
  let update = tx
    .updateTable('action_queue')
    .set({
      ...(made.from === 'executing' ? { lease_owner: null, lease_until: null } : {}),
      ...(made.from === 'approved' && made.to === 'cancelled' ? { lease_until: null } : {}),
      ...(isFinal(made.to) ? { finished_at: made.at, next_look_up_at: null } : {}),
      ...made.set,
      status: made.to,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', made.actionId)
    .where('status', '=', made.from);
  if (made.held !== undefined) {
    update = update.where('lease_owner', '=', made.held.owner).where('fencing', '=', made.held.fencing);
  }
  if (made.unchanged !== undefined) {
    const { fencing, lease_until, sending_at } = made.unchanged;
    update = update
      .where('fencing', '=', fencing)
      .where('lease_until', lease_until === null ? 'is' : '=', lease_until)
      .where('sending_at', sending_at === null ? 'is' : '=', sending_at);
  }
  if (made.hash !== undefined) update = update.where('payload_hash', '=', made.hash);
  const row = await update.returningAll().executeTakeFirst();
  if (row === undefined) return undefined;
  await recordEvent(room, tx, row, made);
  return row;
}

/** Changes a pending action without moving it. @returns the row after it, or undefined when it is pending no longer */
export async function amend(
  room: Pick<QueueRoom, 'audit'>,
  tx: Transaction<OrgTables>,
  orgId: string,
  made: Omit<Move, 'from' | 'to' | 'held' | 'unchanged'> & Required<Pick<Move, 'set'>>,
): Promise<ActionRow | undefined> {
  let update = tx
    .updateTable('action_queue')
    .set(made.set)
    .where('org_id', '=', orgId)
    .where('id', '=', made.actionId)
    .where('status', '=', 'pending');
  if (made.hash !== undefined) update = update.where('payload_hash', '=', made.hash);
  const row = await update.returningAll().executeTakeFirst();
  if (row === undefined) return undefined;
  await recordEvent(room, tx, row, { ...made, from: 'pending', to: 'pending' });
  return row;
}

/** The event row of a move, and its entry in the record; `from` undefined: the action came into being. */
export async function recordEvent(
  room: Pick<QueueRoom, 'audit'>,
  tx: Transaction<OrgTables>,
  row: ActionRow,
  event: Omit<Move, 'from'> & { from: ActionStatus | undefined },
): Promise<void> {
  const orgId = row.org_id;
  const last = await tx
    .selectFrom('action_events')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .where('org_id', '=', orgId)
    .where('action_id', '=', event.actionId)
    .executeTakeFirst();
  await tx
    .insertInto('action_events')
    .values({
      org_id: orgId,
      action_id: event.actionId,
      seq: Number(last?.seq ?? 0) + 1,
      from_status: event.from ?? null,
      to_status: event.to,
      at: event.at,
      by: toJson(event.by),
      channel: event.channel,
      detail: toJson(event.detail ?? {}),
    })
    .execute();
  await room.audit?.append(tx, orgId, event.at, entryOf(row, event));
}

/** One move in a transaction of its own, told to the listeners once it is committed. */
export async function moveAction(room: QueueRoom, org: OrgStore, made: Move): Promise<Action | undefined> {
  const action = await org.write(async (tx) => {
    const row = await move(room, tx, org.orgId, made);
    return row === undefined ? undefined : await actionOf(tx, row);
  });
  if (action !== undefined) room.announce(org.orgId, action);
  return action;
}
