// What policy says of a write, with the one rule that no rule can change: what an agent proposes is never
// automatic when it sends, moves money or deletes. It has always read something untrusted.
import type { Connection } from '../../connections/connections.ts';
import type { LiveRecord, WriteOperation } from '../../providers/define.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { holdOf } from '../decide/hold.ts';
import type { ActionRow } from '../envelope.ts';
import type { Move, Mover } from '../moves.ts';
import type { PolicyVerdict } from '../queue.ts';
import type { QueueRoom } from '../room.ts';

const policyMover: Mover = { kind: 'policy', id: 'policy', name: 'policy' };

const neverAutomatic: readonly string[] = ['send', 'money', 'delete'];

export interface Judged {
  connection: Connection;
  /** Name of the operation. */
  name: string;
  operation: WriteOperation<unknown>;
  payload: unknown;
  /** The record as it was approved: what is approved anew may concern more than what was proposed. */
  live?: LiveRecord | undefined;
  proposedBy: Mover;
  /** The member who approved it, once one has. */
  decidedBy?: string | undefined;
  /** Database time. */
  at: number;
}

/** Undefined where there is no policy: then a person is asked. */
export async function judge(
  room: QueueRoom,
  org: OrgStore,
  { connection, name, operation, payload, live, proposedBy, decidedBy, at }: Judged,
): Promise<PolicyVerdict | undefined> {
  if (room.policy === undefined) return undefined;
  const concerns = operation.concerns?.(payload, live);
  const verdict = await room.policy.judge(org, {
    provider: connection.provider,
    operation: name,
    effect: operation.effect,
    connectionId: connection.id,
    account: connection.account,
    told: concerns !== undefined,
    recipients: concerns?.recipients ?? [],
    amount: concerns?.amount,
    at,
    principal: proposedBy,
    decidedBy,
  });
  if (verdict.outcome !== 'auto') return verdict;
  if (proposedBy.kind === 'agent' && neverAutomatic.includes(operation.effect)) {
    return { ...verdict, outcome: 'ask', why: `${verdict.why} But an agent proposed it: a person decides.` };
  }
  return verdict;
}

/** Whether it is approved by the rules alone. What has to be signed by a person never is. */
export async function automatic(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  verdict: PolicyVerdict | undefined,
): Promise<boolean> {
  if (verdict?.outcome !== 'auto') return false;
  return (await room.presence?.require(org, row)) !== true;
}

/** The approval that a rule gives. */
export function byPolicy(room: QueueRoom, row: ActionRow, now: number): Move {
  return {
    actionId: row.id,
    from: 'pending',
    to: 'approved',
    at: now,
    by: policyMover,
    channel: 'policy',
    hash: row.payload_hash,
    detail: { hash: row.payload_hash },
    set: {
      decided_at: now,
      decided_by: toJson(policyMover),
      decision_channel: 'policy',
      hold_until: holdOf(room, row, now),
    },
  };
}
