// An approval covers the step from one record to another, under the rules of then. Where either is another
// right before it runs, nothing is sent, and a person is asked again.
import { toJson } from '../../store/codec.ts';
import { approvedRecord, changedIn, type SealedRecord } from '../before.ts';
import { rehashed } from '../decide/edit.ts';
import type { ActionRow } from '../envelope.ts';
import type { Move } from '../moves.ts';
import type { PolicyVerdict } from '../queue.ts';
import type { QueueRoom } from '../room.ts';

/** Thrown before anything is sent: the approval does not cover what would happen now. */
export class AskAgain extends Error {
  override readonly name = 'AskAgain';
  /** What has become of the parts that were approved; those left out stay. */
  readonly now: { live?: SealedRecord | undefined; policy?: PolicyVerdict };

  constructor(reason: string, now: AskAgain['now']) {
    super(reason);
    this.now = now;
  }
}

/** What the move back to pending changes and tells. The approval itself stays among the events. */
export function returned(
  room: Pick<QueueRoom, 'actionTtlMs'>,
  row: ActionRow,
  again: AskAgain,
  at: number,
): Required<Pick<Move, 'set' | 'detail'>> {
  const { live, policy } = again.now;
  const record =
    'live' in again.now ? { before_record: live?.json ?? null, before_hash: live?.hash ?? null } : {};
  const parts = { ...record, ...(policy === undefined ? {} : { policy: toJson(policy) }) };
  const hash = rehashed({ ...row, ...parts });
  const was = approvedRecord(row);
  const changed = was !== undefined && live !== undefined ? changedIn(was, live.record) : [];
  return {
    set: {
      ...parts,
      payload_hash: hash,
      // Whoever decides again has as long as for a new one.
      expires_at: Math.max(row.expires_at, at + room.actionTtlMs),
      decided_at: null,
      decided_by: null,
      decision_channel: null,
      decision_reason: null,
      hold_until: null,
      snoozed_until: null,
      sending_at: null,
      proof: null,
    },
    detail: {
      reason: again.message,
      was: row.payload_hash,
      hash,
      ...(changed.length > 0 ? { changed } : {}),
    },
  };
}
