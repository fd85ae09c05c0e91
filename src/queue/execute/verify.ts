// Before an approved action acts, what stands in its row is checked against what was approved, and against
// the account and the operation as they are now.
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { WriteOperation } from '../../providers/define.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { approvedRecord } from '../before.ts';
import { type ActionRow, hashRow } from '../envelope.ts';
import type { Mover } from '../moves.ts';
import { judge } from '../policy/judge.ts';
import { checkUsable } from '../propose/propose.ts';
import { approvalLastsMs, type QueueRoom } from '../room.ts';
import { AskAgain } from './return.ts';

export interface Verified {
  connection: Connection;
  operation: WriteOperation<unknown>;
  payload: unknown;
}

/**
 * @throws DrawbridgeError `conflict` (retry never) when the row is not what was approved, or too much time
 * has passed, or policy denies it now; `not_found`, `auth_expired` when the account can no longer be used;
 * AskAgain when the approval does not cover it any more.
 */
export async function verify(room: QueueRoom, org: OrgStore, row: ActionRow, now: number): Promise<Verified> {
  const approved = await approvedHash(org, row.id);
  const hash = hashRow(row);
  if (hash === undefined || hash !== row.payload_hash || hash !== approved) {
    throw new DrawbridgeError(
      'conflict',
      'What is stored is not what was approved, so nothing was sent. Have it proposed again, and find out who changed the database.',
    );
  }
  const runBy = Math.max(row.expires_at, (row.decided_at ?? 0) + approvalLastsMs);
  if (now > runBy && room.steady.trusts(now)) {
    throw new DrawbridgeError(
      'conflict',
      `It was approved, but could not run before ${new Date(runBy).toISOString()}; nothing was sent. Have it proposed again.`,
    );
  }
  const connection = await room.connections.get(org, row.connection_id);
  checkUsable(connection);
  if (connection.account !== row.account || connection.provider !== row.provider) {
    throw new DrawbridgeError(
      'conflict',
      'The connection belongs to another account now than the one that was approved; nothing was sent.',
    );
  }
  const operation = await room.connections.write(org, connection, row.operation);
  if (operation.version !== row.operation_version) {
    throw new DrawbridgeError(
      'conflict',
      `${row.operation} has changed since it was approved (version ${row.operation_version}, now ${operation.version}); nothing was sent. Have it proposed again.`,
    );
  }
  const payload: unknown = JSON.parse(row.payload);
  await checkRules(room, org, row, { connection, operation, payload, now });
  // What the operation does, and not what its row says that it does, tells whether a signature is needed.
  const meant = { ...row, effect: operation.effect };
  if (room.presence !== undefined && (await room.presence.require(org, meant))) {
    await room.presence.verify(org, meant);
  }
  return { connection, operation, payload };
}

/** The rules as they are now: what they deny does not run, and what they alone approved they must approve still. */
async function checkRules(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  { now, ...meant }: Verified & { now: number },
): Promise<void> {
  const proposedBy = fromJson<Mover>(row.proposed_by);
  const by = row.decided_by === null ? undefined : fromJson<Mover>(row.decided_by);
  const decidedBy = by?.kind === 'person' ? by.id : undefined;
  const live = approvedRecord(row);
  const verdict = await judge(room, org, {
    ...meant,
    name: row.operation,
    live,
    proposedBy,
    decidedBy,
    at: now,
  });
  if (verdict?.outcome === 'deny') {
    throw new DrawbridgeError(
      'conflict',
      `Policy does not admit it any more, so nothing was sent: ${verdict.why}`,
    );
  }
  if (row.decision_channel === 'policy' && verdict?.outcome !== 'auto') {
    throw new AskAgain('the rule that approved it is gone', verdict === undefined ? {} : { policy: verdict });
  }
}

/** The hash in the record of the approval itself: the last one, where it was asked about again. */
async function approvedHash(org: OrgStore, id: string): Promise<unknown> {
  const event = await org.read((db) =>
    db
      .selectFrom('action_events')
      .select('detail')
      .where('org_id', '=', org.orgId)
      .where('action_id', '=', id)
      .where('from_status', '=', 'pending')
      .where('to_status', '=', 'approved')
      .orderBy('seq', 'desc')
      .executeTakeFirst(),
  );
  return event === undefined ? undefined : fromJson<{ hash?: unknown }>(event.detail).hash;
}
