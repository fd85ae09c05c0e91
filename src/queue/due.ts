// Which actions of an org want something done now, in one cheap question.
import type { OrgStore } from '../store/store.ts';
import type { ActionRow } from './envelope.ts';
import { hours, longestRest, lookUpBackOff, type QueueRoom } from './room.ts';

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
