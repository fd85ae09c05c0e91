// What a person approves in the place of what was proposed is held against the same rules, and has a hash of
// its own. The proposal is kept beside it.
import { DrawbridgeError } from '../../errors.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { approvedRecord, changedIn, readBefore } from '../before.ts';
import { type ActionRow, hashRow, sealPayload } from '../envelope.ts';
import { amend, type Mover } from '../moves.ts';
import { judge } from '../policy/judge.ts';
import { sealAttachments } from '../propose/attachments.ts';
import { checkUsable, clipSummary } from '../propose/propose.ts';
import type { Channel } from '../queue.ts';
import { actionOf } from '../read.ts';
import type { QueueRoom } from '../room.ts';

export type Edited = Pick<
  ActionRow,
  'payload' | 'payload_hash' | 'summary' | 'before_record' | 'before_hash' | 'policy'
>;

/**
 * The parts of the row that an edit changes. Where the live record is no longer the one that was shown, the
 * action is brought up to date first, and nothing is decided.
 * @throws DrawbridgeError `invalid_request` naming the field, `permission_denied` by policy, `conflict`
 */
export async function sealEdit(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  edit: { edited: unknown; by: Mover; channel: Channel; at: number },
): Promise<Edited> {
  const connection = await room.connections.get(org, row.connection_id);
  checkUsable(connection);
  const operation = await room.connections.write(org, connection, row.operation);
  if (operation.version !== row.operation_version) {
    throw new DrawbridgeError(
      'conflict',
      `${row.operation} has changed since it was proposed. Have it proposed again.`,
    );
  }
  const { payload, json } = sealPayload(operation, edit.edited);
  await checkAttached(room, org, row, { payload, json });
  const meant = { connection, name: row.operation, operation, payload };
  const proposedBy = fromJson<Mover>(row.proposed_by);
  const verdict = await judge(room, org, { ...meant, proposedBy, at: edit.at });
  if (verdict?.outcome === 'deny') {
    throw new DrawbridgeError('permission_denied', `Policy does not admit it: ${verdict.why}`);
  }
  const before = await readBefore(room, org, meant);
  const shown = approvedRecord(row);
  if (shown !== undefined && before !== undefined && changedIn(shown, before.record).length > 0) {
    await showAnew(room, org, row, edit);
    throw new DrawbridgeError(
      'conflict',
      `${before.record.title} was changed meanwhile, so nothing was decided. Look at the action again.`,
    );
  }
  const parts = {
    payload: json,
    summary: clipSummary(operation.summary(payload, connection.label)),
    before_record: before?.json ?? null,
    before_hash: before?.hash ?? null,
    policy: verdict === undefined ? null : toJson(verdict),
  };
  return { ...parts, payload_hash: rehashed({ ...row, ...parts }) };
}

/** The record as it stands now beside what was proposed, under a new hash. */
async function showAnew(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  { by, channel, at }: { by: Mover; channel: Channel; at: number },
): Promise<void> {
  const connection = await room.connections.get(org, row.connection_id);
  const operation = await room.connections.write(org, connection, row.operation);
  const payload: unknown = JSON.parse(row.payload);
  const live = await readBefore(room, org, { connection, name: row.operation, operation, payload });
  const parts = { before_record: live?.json ?? null, before_hash: live?.hash ?? null };
  const shown = approvedRecord(row);
  const changed = shown === undefined || live === undefined ? [] : changedIn(shown, live.record);
  const hash = rehashed({ ...row, ...parts });
  const action = await org.write(async (tx) => {
    const amended = await amend(room, tx, org.orgId, {
      actionId: row.id,
      at,
      by,
      channel,
      hash: row.payload_hash,
      detail: { reason: 'the live record changed', changed, was: row.payload_hash, hash },
      set: { ...parts, payload_hash: hash },
    });
    return amended === undefined ? undefined : await actionOf(tx, amended);
  });
  if (action !== undefined) room.announce(org.orgId, action);
}

/** An edit may leave attachments out, and can add none. */
async function checkAttached(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  { payload, json }: { payload: unknown; json: string },
): Promise<void> {
  const stored = await org.read((db) =>
    db
      .selectFrom('action_attachments')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('action_id', '=', row.id)
      .execute(),
  );
  const kept = stored.filter(({ sha256 }) => json.includes(sha256));
  sealAttachments(
    kept.map(({ name, media_type, bytes }) => ({ name, mediaType: media_type, bytes })),
    payload,
    room.attachmentLimit,
  );
}

export function rehashed(row: ActionRow): string {
  const hash = hashRow(row);
  if (hash === undefined) throw new Error('A row that was just made has no hash');
  return hash;
}
