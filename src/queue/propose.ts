// A proposal is stored whole or not at all, says what a person will read, and is made once: the same
// proposal again joins the action that is there.
import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Principal } from '../auth/principal.ts';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState, OrgTables } from '../store/tables.ts';
import { sealAttachments } from './attachments.ts';
import { type ActionRow, hashEnvelope, sealPayload } from './envelope.ts';
import { type Mover, recordEvent } from './moves.ts';
import { lockProposal } from './propose.sql.ts';
import type { Action, Channel, Proposal } from './queue.ts';
import { actionOf } from './read.ts';
import { mayPropose, type QueueRoom, replayMs, sameOrg } from './room.ts';

const longestNote = 2_000;
const longestSummary = 1_000;
const longestWarning = 500;
const mostWarnings = 20;

/** A connection in one of these can be asked to act; ERROR and DEGRADED may have passed by the time it does. */
const usableStates: readonly ConnectionState[] = ['CONNECTED', 'ACTIVE', 'DEGRADED', 'ERROR'];

export async function propose(
  room: QueueRoom,
  org: OrgStore,
  principal: Principal,
  proposal: Proposal,
): Promise<{ action: Action; attached: boolean }> {
  sameOrg(org, principal);
  mayPropose(principal);
  checkNote(proposal.note);
  const connection = await room.connections.get(org, proposal.connectionId);
  checkUsable(connection);
  const operation = await room.connections.write(org, connection, proposal.operation);
  const { payload, json } = sealPayload(operation, proposal.payload);
  const attachments = sealAttachments(proposal.attachments ?? [], payload, room.attachmentLimit);
  const hash = hashEnvelope({
    org: org.orgId,
    account: { connection: connection.id, id: connection.account },
    provider: connection.provider,
    operation: proposal.operation,
    version: operation.version,
    payload,
  });
  const now = await org.now();
  room.steady.trusts(now);
  const by = moverOf(principal);
  const row: ActionRow = {
    org_id: org.orgId,
    id: newId('act', now),
    operation: proposal.operation,
    operation_version: operation.version,
    effect: operation.effect,
    provider: connection.provider,
    connection_id: connection.id,
    account: connection.account,
    account_label: connection.label,
    payload: json,
    payload_hash: hash,
    effect_key: newEffectKey(),
    summary: clip(operation.summary(payload, connection.label), longestSummary),
    preview: toJson({
      warnings: (proposal.warnings ?? []).slice(0, mostWarnings).map((line) => clip(line, longestWarning)),
    }),
    status: 'pending',
    proposed_by: toJson(by),
    note: proposal.note ?? null,
    proposed_at: now,
    expires_at: now + room.actionTtlMs,
    decided_at: null,
    decided_by: null,
    decision_channel: null,
    decision_reason: null,
    lease_owner: null,
    lease_until: null,
    fencing: 0,
    sending_at: null,
    finished_at: null,
    outcome: null,
    next_look_up_at: null,
    look_ups: 0,
    before_record: null,
    before_hash: null,
    policy: null,
    proposed_payload: null,
    proposed_hash: null,
    edit_reason: null,
    snoozed_until: null,
    assigned_to: null,
    hold_until: null,
    undo_of: null,
    citations: null,
    idempotency_key: null,
    proof: null,
    conversation: null,
  };
  const result = await org.write(async (tx) => {
    await lockProposal(tx, org, hash);
    const same = await sameProposal(tx, org.orgId, hash, now);
    if (same !== undefined) return { action: await actionOf(tx, same), attached: true };
    await tx.insertInto('action_queue').values(row).execute();
    for (const attachment of attachments) {
      await tx
        .insertInto('action_attachments')
        .values({ org_id: org.orgId, action_id: row.id, ...attachment })
        .execute();
    }
    const channel: Channel = principal.kind === 'agent' ? 'mcp' : 'terminal';
    await recordEvent(tx, org.orgId, {
      actionId: row.id,
      from: undefined,
      to: 'pending',
      at: now,
      by,
      channel,
      detail: { hash },
    });
    return { action: await actionOf(tx, row), attached: false };
  });
  if (!result.attached) room.announce(org.orgId, result.action);
  return result;
}

/**
 * The action that this proposal already is: one not yet final, or else one that came to an end a moment ago.
 * What expired or was taken back came to no end that could be told again.
 */
async function sameProposal(
  tx: Transaction<OrgTables>,
  orgId: string,
  hash: string,
  now: number,
): Promise<ActionRow | undefined> {
  return tx
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('payload_hash', '=', hash)
    .where((eb) =>
      eb.or([
        eb.and([eb('status', '=', 'pending'), eb('expires_at', '>', now)]),
        eb('status', 'in', ['approved', 'executing', 'unknown']),
        eb.and([
          eb('status', 'in', ['completed', 'failed', 'rejected']),
          eb('finished_at', '>', now - replayMs),
        ]),
      ]),
    )
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

export function moverOf(principal: Principal): Mover {
  return {
    kind: principal.kind,
    id: principal.kind === 'person' ? principal.memberId : principal.agentId,
    name: principal.name,
  };
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** 130 random bits, safe in a Message-ID, a UID and a header. */
function newEffectKey(): string {
  return `dbx${Array.from(randomBytes(26), (byte) => base32.charAt(byte & 31)).join('')}`;
}

function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

function checkNote(note: string | undefined): void {
  if (note !== undefined && note.length > longestNote) {
    throw new DrawbridgeError('invalid_request', `note: is longer than ${longestNote} characters.`, {
      field: 'note',
    });
  }
}

/** @throws DrawbridgeError `auth_expired` when a person must connect the account again first. */
export function checkUsable(connection: Connection): void {
  if (usableStates.includes(connection.state)) return;
  throw new DrawbridgeError(
    'auth_expired',
    `${connection.providerTitle} account ${connection.label} is ${connection.state.toLowerCase()}. Connect it again: drawbridge connect ${connection.provider}`,
  );
}
