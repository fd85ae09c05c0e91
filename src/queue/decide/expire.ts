// An action that nobody decided in time expires by database time, unless that clock has just jumped.
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import { type Move, type Mover, moveAction } from '../moves.ts';
import type { QueueRoom } from '../room.ts';

const clockMover: Mover = { kind: 'clock', id: 'clock', name: 'clock' };

export function expiryOf(row: Pick<ActionRow, 'id' | 'expires_at'>, now: number): Move {
  return {
    actionId: row.id,
    from: 'pending',
    to: 'expired',
    at: now,
    by: clockMover,
    channel: 'clock',
    detail: { expiresAt: row.expires_at },
  };
}

/** @returns whether this call expired it. */
export async function expire(
  room: QueueRoom,
  org: OrgStore,
  row: Pick<ActionRow, 'id' | 'expires_at'>,
  now: number,
): Promise<boolean> {
  if (!room.steady.trusts(now)) return false;
  return (await moveAction(room, org, expiryOf(row, now))) !== undefined;
}
