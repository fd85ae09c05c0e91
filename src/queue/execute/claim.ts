// An approved action is run by whoever gets its lease; a lease whose holder fell silent is taken back, and
// what may have been sent under it is never sent again.
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import { type Mover, move, moveAction } from '../moves.ts';
import type { ActionOutcome } from '../queue.ts';
import { actionOf } from '../read.ts';
import { attemptBackOff, lookUpBackOff, maxAttempts, type QueueRoom, restAfter } from '../room.ts';
import type { DueRow } from './due.ts';

export function executorMover(room: QueueRoom): Mover {
  return { kind: 'executor', id: room.owner, name: 'executor' };
}

/**
 * Takes the lease: approved → executing, one fencing number up.
 * @returns the row as it stands under the lease, read in the same statement; undefined when someone else was first.
 */
export async function claim(room: QueueRoom, org: OrgStore, due: DueRow): Promise<ActionRow | undefined> {
  await room.checkpoint('before-claim', due.id);
  const now = await org.now();
  const claimed = await org.write(async (tx) => {
    const row = await move(room, tx, org.orgId, {
      actionId: due.id,
      from: 'approved',
      to: 'executing',
      at: now,
      by: executorMover(room),
      channel: 'executor',
      unchanged: due,
      detail: { fencing: due.fencing + 1 },
      set: {
        lease_owner: room.owner,
        lease_until: now + room.leaseMs,
        fencing: due.fencing + 1,
        sending_at: null,
      },
    });
    return row === undefined ? undefined : { row, action: await actionOf(tx, row) };
  });
  if (claimed === undefined) return undefined;
  room.announce(org.orgId, claimed.action);
  await room.checkpoint('after-claim', due.id);
  return claimed.row;
}

/**
 * A lease that ran out: back to approved when nothing was sent under it, unknown when something may have been.
 * @returns whether this call moved it.
 */
export async function recover(room: QueueRoom, org: OrgStore, due: DueRow, now: number): Promise<boolean> {
  if (!ranOut(room, org, due, now)) return false;
  const common = {
    actionId: due.id,
    from: 'executing' as const,
    at: now,
    by: executorMover(room),
    channel: 'executor' as const,
    unchanged: due,
  };
  if (due.sending_at !== null) {
    const outcome: ActionOutcome = {
      kind: 'unknown',
      message: 'The process that ran it ended after it had begun to send.',
      evidence: [
        `${new Date(now).toISOString()} Its lease ran out; it began to send at ${new Date(due.sending_at).toISOString()}.`,
      ],
    };
    const moved = await moveAction(room, org, {
      ...common,
      to: 'unknown',
      detail: { reason: 'lease ran out after sending began' },
      set: { outcome: toJson(outcome), look_ups: 0, next_look_up_at: now + restAfter(lookUpBackOff, 1) },
    });
    return moved !== undefined;
  }
  if (due.fencing >= maxAttempts) {
    const outcome: ActionOutcome = {
      kind: 'failed',
      code: 'internal',
      message: `Nothing was sent: it was tried ${due.fencing} times, and each process ended before it could send.`,
    };
    const moved = await moveAction(room, org, { ...common, to: 'failed', set: { outcome: toJson(outcome) } });
    return moved !== undefined;
  }
  // The first process to fall silent says nothing about the action; several in a row might.
  const rest = due.fencing <= 1 ? 0 : restAfter(attemptBackOff, due.fencing - 1);
  const moved = await moveAction(room, org, {
    ...common,
    to: 'approved',
    detail: { reason: 'lease ran out before anything was sent' },
    set: { lease_until: rest === 0 ? null : now + rest },
  });
  return moved !== undefined;
}

/**
 * By database time; but when that clock jumped, or the lease ends later than any lease does, only after this
 * process has watched it unrenewed for a whole lease of monotonic time.
 */
function ranOut(room: QueueRoom, org: OrgStore, due: DueRow, now: number): boolean {
  const key = `${org.orgId}/${due.id}`;
  const watched = room.steady.unchangedFor(key, `${due.fencing}/${due.lease_until}`);
  const byDatabase = due.lease_until !== null && due.lease_until <= now && room.steady.trusts(now);
  if (!byDatabase && watched < room.leaseMs) return false;
  room.steady.forget(key);
  return true;
}
