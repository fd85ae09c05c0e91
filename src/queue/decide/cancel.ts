// What has not begun can be taken back, by who proposed it or by a person.
import type { Principal } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { type Mover, move } from '../moves.ts';
import { moverOf } from '../propose/propose.ts';
import type { Action, Channel } from '../queue.ts';
import { actionOf, rowOf } from '../read.ts';
import { type QueueRoom, sameOrg } from '../room.ts';
import { becameOf } from './decide.ts';

export async function cancel(
  room: QueueRoom,
  org: OrgStore,
  principal: Principal,
  id: string,
  channel: Channel,
): Promise<Action> {
  sameOrg(org, principal);
  const now = await org.now();
  const by = moverOf(principal);
  const action = await org.write(async (tx) => {
    const row = await rowOf(tx, org.orgId, id);
    const proposer = fromJson<Mover>(row.proposed_by);
    if (principal.kind !== 'person' && (proposer.kind !== by.kind || proposer.id !== by.id)) {
      throw new DrawbridgeError(
        'permission_denied',
        'Only who proposed an action, or a person, can take it back.',
      );
    }
    if (row.status !== 'pending' && row.status !== 'approved') throw becameOf(row);
    const cancelled = await move(room, tx, org.orgId, {
      actionId: id,
      from: row.status,
      to: 'cancelled',
      at: now,
      by,
      channel,
    });
    if (cancelled === undefined) throw becameOf(await rowOf(tx, org.orgId, id));
    return actionOf(tx, cancelled);
  });
  room.announce(org.orgId, action);
  return action;
}
