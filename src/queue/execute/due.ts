// Which actions of an org want something done now, in one cheap question.
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import { hours, longestRest, lookUpBackOff, type QueueRoom } from '../room.ts';

export type DueRow = Pick<
  ActionRow,
  'id' | 'status' | 'connection_id' | 'fencing' | 'lease_until' | 'sending_at' | 'expires_at' | 'look_ups'
>;

const batch = 100;
const longestLookUpRest = Math.max(...lookUpBackOff) + hours;

/**
 * Oldest first. A time further ahead than we ever set one was set before the clock went back: it is due too,
 * or an action would wait for the clock to catch up.
 */
export async function dueActions(room: QueueRoom, org: OrgStore, now: number): Promise<DueRow[]> {
  return org.read((db) =>
    db
      .selectFrom('action_queue')
      .select([
        'id',
        'status',
        'connection_id',
        'fencing',
        'lease_until',
        'sending_at',
        'expires_at',
        'look_ups',
      ])
      .where('org_id', '=', org.orgId)
      .where((eb) =>
        eb.or([
          eb.and([eb('status', '=', 'pending'), eb('expires_at', '<=', now)]),
          eb.and([
            eb('status', '=', 'approved'),
            eb.or([
              eb('hold_until', 'is', null),
              eb('hold_until', '<=', now),
              eb('hold_until', '>', now + 2 * room.holdMs + hours),
            ]),
            eb.or([
              eb('lease_until', 'is', null),
              eb('lease_until', '<=', now),
              eb('lease_until', '>', now + 2 * longestRest),
            ]),
          ]),
          eb.and([
            eb('status', '=', 'executing'),
            eb.or([eb('lease_until', '<=', now), eb('lease_until', '>', now + 2 * room.leaseMs)]),
          ]),
          eb.and([
            eb('status', '=', 'unknown'),
            eb.or([eb('next_look_up_at', '<=', now), eb('next_look_up_at', '>', now + longestLookUpRest)]),
          ]),
        ]),
      )
      .orderBy('id')
      .limit(batch)
      .execute(),
  );
}

/** When the next send that is held may leave, if that is within `withinMs`. */
export async function nextHold(org: OrgStore, now: number, withinMs: number): Promise<number | undefined> {
  const held = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select((eb) => eb.fn.min('hold_until').as('until'))
      .where('org_id', '=', org.orgId)
      .where('status', '=', 'approved')
      .where('hold_until', '>', now)
      .where('hold_until', '<=', now + withinMs)
      .executeTakeFirst(),
  );
  return held?.until === null || held?.until === undefined ? undefined : Number(held.until);
}
