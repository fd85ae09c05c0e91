// What is learnt about an unknown action is kept as evidence. Evidence moves nothing: a look-up or a person does.
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import type { ActionOutcome } from '../queue.ts';
import { actionOf } from '../read.ts';
import type { QueueRoom } from '../room.ts';
import { withEvidence } from './outcome.ts';

/**
 * Adds a line to an action that is unknown since the very run that `row` was claimed for, and has it looked
 * up at once. Anything else is left alone. Never throws: the evidence is a help, not a promise.
 */
export async function testify(room: QueueRoom, org: OrgStore, row: ActionRow, line: string): Promise<void> {
  try {
    const now = await org.now();
    const action = await org.write(async (tx) => {
      const current = await tx
        .selectFrom('action_queue')
        .select('outcome')
        .where('org_id', '=', org.orgId)
        .where('id', '=', row.id)
        .where('status', '=', 'unknown')
        .where('fencing', '=', row.fencing)
        .executeTakeFirst();
      const before = current?.outcome == null ? undefined : fromJson<ActionOutcome>(current.outcome);
      if (before?.kind !== 'unknown') return undefined;
      const updated = await tx
        .updateTable('action_queue')
        .set({ outcome: toJson(withEvidence(before, now, line)), next_look_up_at: now })
        .where('org_id', '=', org.orgId)
        .where('id', '=', row.id)
        .where('status', '=', 'unknown')
        .where('fencing', '=', row.fencing)
        .returningAll()
        .executeTakeFirst();
      return updated === undefined ? undefined : await actionOf(tx, updated);
    });
    if (action !== undefined) room.announce(org.orgId, action);
  } catch (error) {
    room.log.warn({ err: error, action: row.id }, 'Evidence about an unknown action could not be kept');
  }
}
