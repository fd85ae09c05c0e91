// When nothing else can tell whether an unknown action happened, a person says so, with a reason.
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { move } from '../moves.ts';
import { moverOf } from '../propose/propose.ts';
import type { Action, ActionOutcome, Channel } from '../queue.ts';
import { actionOf, rowOf } from '../read.ts';
import { type QueueRoom, sameOrg } from '../room.ts';
import { becameOf, checkReason, mustBePerson } from './decide.ts';

export async function settle(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  settlement: { actionId: string; happened: boolean; reason: string; channel: Channel },
): Promise<Action> {
  mustBePerson(person, settlement.channel);
  sameOrg(org, person);
  const { actionId, happened, reason, channel } = settlement;
  if (reason.trim() === '') {
    throw new DrawbridgeError('invalid_request', 'reason: say how you know.', { field: 'reason' });
  }
  checkReason(reason);
  const now = await org.now();
  const outcome: ActionOutcome = happened
    ? { kind: 'completed', reference: 'said by a person', details: { reason }, found: 'said by a person' }
    : { kind: 'failed', code: 'said_by_a_person', message: `It did not happen: ${reason}` };
  const action = await org.write(async (tx) => {
    const row = await rowOf(tx, org.orgId, actionId);
    if (row.status !== 'unknown') {
      throw new DrawbridgeError(
        'conflict',
        row.status === 'pending'
          ? `Action ${actionId} is still pending: approve or reject it.`
          : becameOf(row).message,
      );
    }
    const settled = await move(room, tx, org.orgId, {
      actionId,
      from: 'unknown',
      to: outcome.kind,
      at: now,
      by: moverOf(person),
      channel,
      detail: { reason, before: row.outcome },
      set: { outcome: toJson(outcome) },
    });
    if (settled === undefined) throw becameOf(await rowOf(tx, org.orgId, actionId));
    return actionOf(tx, settled);
  });
  room.announce(org.orgId, action);
  return action;
}
