// A pending action can wait for another moment or for another member. Neither decides anything: whoever may
// decide still may, and it expires when it would have.
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import { amend } from '../moves.ts';
import { moverOf } from '../propose/propose.ts';
import type { Action, Channel } from '../queue.ts';
import { actionOf, rowOf } from '../read.ts';
import { type QueueRoom, sameOrg } from '../room.ts';
import { becameOf, mustBePerson } from './decide.ts';

/** @param until integer ms of database time, before the action expires */
export async function snooze(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  { actionId, until, channel }: { actionId: string; until: number; channel: Channel },
): Promise<Action> {
  return change(room, org, person, { actionId, channel }, (row, now) => {
    if (!Number.isInteger(until) || until <= now || until >= row.expires_at) {
      throw new DrawbridgeError(
        'invalid_request',
        `until: must be a moment before it expires (${new Date(row.expires_at).toISOString()}).`,
        { field: 'until' },
      );
    }
    return { set: { snoozed_until: until }, detail: { snoozedUntil: until } };
  });
}

/** @param to id of the member who is asked from now on */
export async function handOver(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  { actionId, to, channel }: { actionId: string; to: string; channel: Channel },
): Promise<Action> {
  sameOrg(org, person);
  const member = await room.member?.(org.orgId, to);
  if (member === undefined) {
    throw new DrawbridgeError('not_found', 'to: is no member of this organisation.', { field: 'to' });
  }
  return change(room, org, person, { actionId, channel }, () => ({
    set: { assigned_to: to, snoozed_until: null },
    detail: { assignedTo: to, name: member.name },
  }));
}

async function change(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  { actionId, channel }: { actionId: string; channel: Channel },
  made: (row: ActionRow, now: number) => { set: Partial<ActionRow>; detail: Record<string, unknown> },
): Promise<Action> {
  mustBePerson(person, channel);
  sameOrg(org, person);
  const now = await org.now();
  const action = await org.write(async (tx) => {
    const row = await rowOf(tx, org.orgId, actionId);
    if (row.status !== 'pending') throw becameOf(row);
    const by = moverOf(person);
    const amended = await amend(room, tx, org.orgId, { actionId, at: now, by, channel, ...made(row, now) });
    if (amended === undefined) throw becameOf(await rowOf(tx, org.orgId, actionId));
    return actionOf(tx, amended);
  });
  room.announce(org.orgId, action);
  return action;
}
