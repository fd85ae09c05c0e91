// What the record says of one move of an action: hashes, states and ids in the clear; names, words and the
// outcome's text behind commitments.
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../audit/audit.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { ActionStatus } from '../store/tables.ts';
import type { ActionRow } from './envelope.ts';
import type { Move } from './moves.ts';
import type { PolicyVerdict } from './queue.ts';

type Event = Pick<Move, 'actionId' | 'to' | 'by' | 'channel' | 'detail'> & {
  from: ActionStatus | undefined;
};

/** @param row the action as it is after the move */
export function entryOf(row: ActionRow, event: Event): AuditEntry {
  const policy = row.policy === null ? undefined : fromJson<PolicyVerdict>(row.policy);
  const detail = Object.keys(event.detail ?? {}).length === 0 ? undefined : toJson(event.detail);
  return {
    kind: kindOf(event),
    subject: event.actionId,
    by: event.by,
    channel: event.channel,
    facts: {
      from: event.from ?? null,
      to: event.to,
      hash: row.payload_hash,
      proposedHash: row.proposed_hash,
      beforeHash: row.before_hash,
      proofHash: row.proof === null ? null : sha256(row.proof),
      provider: row.provider,
      operation: row.operation,
      version: row.operation_version,
      effect: row.effect,
      connection: row.connection_id,
      policy: policy?.outcome ?? null,
      policyVersion: policy?.version ?? null,
      fencing: row.fencing,
      undoOf: row.undo_of,
    },
    values: {
      ...(event.from === undefined ? { summary: row.summary } : {}),
      ...(detail === undefined ? {} : { detail }),
      ...(row.outcome === null ? {} : { outcome: row.outcome }),
    },
  };
}

/** `action.proposed`, `action.approved`, `action.completed` …; a step back and a change in place have their own. */
function kindOf({ from, to }: Event): string {
  if (from === undefined) return 'action.proposed';
  if (from === to) return 'action.amended';
  if (to === 'pending') return 'action.returned';
  if (from === 'executing' && to === 'approved') return 'action.released';
  return `action.${to}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
