// While an action runs its lease is renewed; when it is lost, by the database's word or by our own monotonic
// clock, the run is told to stop and nothing more may be sent.
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import type { Lease } from '../moves.ts';
import type { QueueRoom } from '../room.ts';

export interface HeldLease extends Lease {
  /** Aborted when the lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Writes, durably and only while the lease is ours, that sending begins.
   * @throws DrawbridgeError `conflict` when the lease is lost; whatever the database throws when it cannot write.
   */
  markSending(): Promise<void>;
  /** Treats the lease as lost from now on: nothing more may be sent. */
  giveUp(): void;
  /** Ends the renewing. */
  release(): void;
}

/** Takes over the lease that `row` was claimed with, and renews it until `release`. */
export function holdLease(room: QueueRoom, org: OrgStore, row: ActionRow): HeldLease {
  const lost = new AbortController();
  const ended = new AbortController();
  const lease: Lease = { owner: room.owner, fencing: row.fencing };
  // Counted from before each renewal is asked for, so that it never outlasts the database's count.
  let confirmedAt = room.clock.elapsed();

  /** Renewing asks only that nobody has taken the lease; to begin sending it must also not have run out. */
  async function stamp(sending: boolean): Promise<void> {
    const asked = room.clock.elapsed();
    const now = await org.now();
    const stamped = await org.write((tx) => {
      let update = tx
        .updateTable('action_queue')
        .set({ lease_until: now + room.leaseMs, ...(sending ? { sending_at: now } : {}) })
        .where('org_id', '=', org.orgId)
        .where('id', '=', row.id)
        .where('status', '=', 'executing')
        .where('lease_owner', '=', lease.owner)
        .where('fencing', '=', lease.fencing);
      if (sending) update = update.where('lease_until', '>', now);
      return update.returning('id').executeTakeFirst();
    });
    if (stamped === undefined) {
      lose();
    } else {
      confirmedAt = asked;
    }
  }

  function lose(): void {
    if (!lost.signal.aborted) lost.abort(lostError());
  }

  async function renew(): Promise<void> {
    const every = room.leaseMs / 3;
    while (!ended.signal.aborted && !lost.signal.aborted) {
      const woken = await room.clock.sleep(every, { signal: ended.signal, unref: true }).then(
        () => false,
        () => true,
      );
      if (woken) return;
      try {
        await stamp(false);
      } catch (error) {
        room.log.warn({ err: error, action: row.id }, 'A lease could not be renewed');
      }
      if (room.clock.elapsed() - confirmedAt >= room.leaseMs) lose();
    }
  }
  void renew();

  return {
    ...lease,
    signal: lost.signal,
    async markSending() {
      lost.signal.throwIfAborted();
      await stamp(true);
      // A machine that slept during the write wakes up here, with a lease that others may have taken.
      if (room.clock.elapsed() - confirmedAt >= room.leaseMs) lose();
      lost.signal.throwIfAborted();
    },
    giveUp: lose,
    release: () => ended.abort(),
  };
}

function lostError(): DrawbridgeError {
  return new DrawbridgeError('conflict', 'The lease on this action was lost; nothing may be sent under it.');
}
