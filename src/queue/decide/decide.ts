// Only a person decides, on exactly the bytes that were shown, and only while the action waits.
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { type ActionRow, hashRow } from '../envelope.ts';
import { move } from '../moves.ts';
import { moverOf } from '../propose/propose.ts';
import type { Action, Channel } from '../queue.ts';
import { actionOf, rowOf } from '../read.ts';
import { type QueueRoom, sameOrg } from '../room.ts';
import { mustBeCarried } from './carriers.ts';
import { sealEdit } from './edit.ts';
import { expiryOf } from './expire.ts';
import { holdOf } from './hold.ts';

const longestReason = 2_000;
/** Where a person acts without a client in between. */
const byHand: readonly Channel[] = ['page', 'terminal'];

export interface Decision {
  actionId: string;
  verdict: 'approve' | 'reject';
  hash: string;
  reason?: string;
  channel: Channel;
  edited?: unknown;
  presence?: unknown;
  /** The client that carried it, with the channel `elicitation`. */
  client?: string;
}

export async function decide(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  decision: Decision,
): Promise<Action> {
  mustBePerson(person, decision.channel, [...byHand, 'elicitation']);
  // A client may carry a yes, never another text.
  if (decision.edited !== undefined) mustBePerson(person, decision.channel);
  sameOrg(org, person);
  checkReason(decision.reason);
  const { actionId, verdict, hash, reason, channel } = decision;
  const now = await org.now();
  const by = moverOf(person);
  const shown = await org.read((db) => rowOf(db, org.orgId, actionId));
  mustBeShown(shown, hash);
  const edited =
    decision.edited === undefined || verdict === 'reject' || shown.expires_at <= now
      ? undefined
      : await sealEdit(room, org, shown, { edited: decision.edited, by, channel, at: now });
  const approved = edited?.payload === shown.payload ? undefined : edited;
  const covered = approved?.payload_hash ?? hash;
  const proof =
    verdict === 'approve' && room.presence !== undefined && (await room.presence.require(org, shown))
      ? await room.presence.check(
          org,
          person,
          { actionId, verdict, hash: covered, presence: decision.presence },
          shown,
        )
      : undefined;
  const result = await org.write(async (tx) => {
    const row = await rowOf(tx, org.orgId, actionId);
    if (channel === 'elicitation') {
      await mustBeCarried(tx, org, person, { client: decision.client, effect: row.effect });
    }
    mustBeShown(row, hash);
    if (row.expires_at <= now) {
      const expired = room.steady.trusts(now)
        ? await move(room, tx, org.orgId, expiryOf(row, now))
        : undefined;
      return { late: row, action: expired === undefined ? undefined : await actionOf(tx, expired) };
    }
    const decided = await move(room, tx, org.orgId, {
      actionId,
      from: 'pending',
      to: verdict === 'approve' ? 'approved' : 'rejected',
      at: now,
      by,
      channel,
      hash,
      detail: {
        hash: covered,
        ...(approved === undefined ? {} : { shown: hash, edited: true }),
        ...(reason === undefined ? {} : { reason }),
        ...(channel === 'elicitation' ? { client: decision.client } : {}),
      },
      set: {
        ...(approved === undefined ? {} : { ...approved, ...keptOf(row, reason) }),
        ...(verdict === 'approve' ? { hold_until: holdOf(room, row, now), proof: proof ?? null } : {}),
        decided_at: now,
        decided_by: toJson(by),
        decision_channel: channel,
        decision_reason: reason ?? null,
      },
    });
    // PostgreSQL: someone else moved it between the reading and the writing.
    if (decided === undefined) throw becameOf(await rowOf(tx, org.orgId, actionId));
    return { late: undefined, action: await actionOf(tx, decided) };
  });
  if (result.action !== undefined) room.announce(org.orgId, result.action);
  if (result.late !== undefined || result.action === undefined) {
    const expired = result.late === undefined ? '' : ` on ${new Date(result.late.expires_at).toISOString()}`;
    throw new DrawbridgeError(
      'conflict',
      `The action expired${expired} before it was decided; nothing happened. Have it proposed again.`,
    );
  }
  return result.action;
}

/** What an edit would approve, and under which hash. Decides nothing. */
export async function previewEdit(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  { actionId, hash, edited, channel }: { actionId: string; hash: string; edited: unknown; channel: Channel },
): Promise<Pick<Action, 'payload' | 'payloadHash' | 'summary' | 'before' | 'policy'>> {
  mustBePerson(person, channel);
  sameOrg(org, person);
  const row = await org.read((db) => rowOf(db, org.orgId, actionId));
  mustBeShown(row, hash);
  const sealed = await sealEdit(room, org, row, {
    edited,
    by: moverOf(person),
    channel,
    at: await org.now(),
  });
  return org.read((db) => actionOf(db, { ...row, ...sealed }));
}

/** @throws DrawbridgeError `conflict` when it is not pending, or not what was shown */
function mustBeShown(row: ActionRow, hash: string): void {
  if (row.status !== 'pending') throw becameOf(row);
  if (row.payload_hash === hash && hashRow(row) === hash) return;
  throw new DrawbridgeError(
    'conflict',
    'What was shown is not what is stored now, so nothing was decided. Look at the action again, and decide on what it says.',
  );
}

/** What was proposed stays as it was, however often it is edited. */
function keptOf(row: ActionRow, reason: string | undefined): Partial<ActionRow> {
  return {
    proposed_payload: row.proposed_payload ?? row.payload,
    proposed_hash: row.proposed_hash ?? row.payload_hash,
    edit_reason: reason ?? null,
  };
}

/**
 * A person, on a road that only a person walks. The type says the first already; this holds when the type
 * was talked out of it.
 * @throws DrawbridgeError `permission_denied`
 */
export function mustBePerson(person: Person, channel: Channel, admitted: readonly Channel[] = byHand): void {
  if (person.kind !== 'person' || !admitted.includes(channel)) {
    throw new DrawbridgeError(
      'permission_denied',
      'Only a person can decide, on the approval page or on a terminal.',
    );
  }
}

export function checkReason(reason: string | undefined): void {
  if (reason !== undefined && reason.length > longestReason) {
    throw new DrawbridgeError('invalid_request', `reason: is longer than ${longestReason} characters.`, {
      field: 'reason',
    });
  }
}

const became: Record<ActionRow['status'], string> = {
  pending: 'is still pending',
  approved: 'was approved already and is about to run',
  executing: 'was approved already and is running now',
  completed: 'was approved already and has been done',
  failed: 'was approved already, and failed',
  unknown: 'was approved already, and it is not known yet whether it happened',
  rejected: 'was rejected already',
  expired: 'has expired; nothing happened',
  cancelled: 'was taken back; nothing happened',
};

/** The refusal of a move that comes too late, saying what the action came to. */
export function becameOf(row: ActionRow): DrawbridgeError {
  return new DrawbridgeError('conflict', `Action ${row.id} ${became[row.status]}.`);
}
