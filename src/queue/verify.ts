// Before an approved action acts, what stands in its row is checked against what was approved, and against
// the account and the operation as they are now.
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import type { WriteOperation } from '../providers/define.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import { type ActionRow, hashRow } from './envelope.ts';
import { checkUsable } from './propose.ts';
import { approvalLastsMs, type QueueRoom } from './room.ts';

export interface Verified {
  connection: Connection;
  operation: WriteOperation<unknown>;
  payload: unknown;
}

/**
 * @throws DrawbridgeError `conflict` (retry never) when the row is not what was approved, or too much time
 * has passed; `not_found`, `auth_expired` when the account can no longer be used.
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
  return { connection, operation, payload: JSON.parse(row.payload) };
}

/** The hash in the record of the approval itself. */
async function approvedHash(org: OrgStore, id: string): Promise<unknown> {
  const event = await org.read((db) =>
    db
      .selectFrom('action_events')
      .select('detail')
      .where('org_id', '=', org.orgId)
      .where('action_id', '=', id)
      .where('from_status', '=', 'pending')
      .where('to_status', '=', 'approved')
      .executeTakeFirst(),
  );
  return event === undefined ? undefined : fromJson<{ hash?: unknown }>(event.detail).hash;
}
