// A proposal is stored whole or not at all, says what a person will read, and is made once: the same
// proposal again joins the action that is there.
import { randomBytes } from 'node:crypto';
import type { Principal } from '../../auth/principal.ts';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ConnectionState } from '../../store/tables.ts';
import { readBefore } from '../before.ts';
import { type ActionRow, type Envelope, hashEnvelope, sealPayload } from '../envelope.ts';
import { type Mover, move, recordEvent } from '../moves.ts';
import { automatic, byPolicy, judge } from '../policy/judge.ts';
import type { Action, Channel, Proposal } from '../queue.ts';
import { actionOf } from '../read.ts';
import { mayPropose, type QueueRoom, sameOrg } from '../room.ts';
import { sealAttachments } from './attachments.ts';
import { lockProposal } from './propose.sql.ts';
import { checkRate } from './rate.ts';
import { type Asked, keyOf, sameProposal } from './same.ts';

const longestNote = 2_000;
const longestSummary = 1_000;
const longestWarning = 500;
const mostWarnings = 20;
const mostCitations = 20;

/** A connection in one of these can be asked to act; ERROR and DEGRADED may have passed by the time it does. */
const usableStates: readonly ConnectionState[] = ['CONNECTED', 'ACTIVE', 'DEGRADED', 'ERROR'];

/** `undoOf`: the action that this one takes back. */
export async function propose(
  room: QueueRoom,
  org: OrgStore,
  principal: Principal,
  proposal: Proposal,
  undoOf?: string,
): Promise<{ action: Action; attached: boolean }> {
  sameOrg(org, principal);
  mayPropose(principal);
  checkTold(proposal);
  const connection = await room.connections.get(org, proposal.connectionId);
  checkUsable(connection);
  const operation = await room.connections.write(org, connection, proposal.operation);
  const { payload, json } = sealPayload(operation, proposal.payload);
  const attachments = sealAttachments(proposal.attachments ?? [], payload, room.attachmentLimit);
  const envelope: Envelope = {
    org: org.orgId,
    account: { connection: connection.id, id: connection.account },
    provider: connection.provider,
    operation: proposal.operation,
    version: operation.version,
    payload,
  };
  const now = await org.now();
  room.steady.trusts(now);
  const by = moverOf(principal);
  const asked: Asked = {
    argumentsHash: hashEnvelope(envelope),
    key: proposal.idempotencyKey === undefined ? undefined : keyOf(by, proposal.idempotencyKey),
  };
  const known = await org.read(async (db) => {
    const same = await sameProposal(db, org.orgId, asked, now);
    if (same !== undefined) return actionOf(db, same);
    await checkRate(room, db, org.orgId, by, now);
    return undefined;
  });
  // Before the provider is asked: what is proposed already changes nothing there.
  if (known !== undefined) return { action: known, attached: true };
  const meant = { connection, name: proposal.operation, operation, payload };
  const verdict = await judge(room, org, { ...meant, proposedBy: by, at: now });
  if (verdict?.outcome === 'deny') {
    throw new DrawbridgeError('permission_denied', `Policy does not admit it: ${verdict.why}`);
  }
  const before = await readBefore(room, org, meant);
  // What we did ourselves is named by its id: it may have been moved or renamed since.
  if (before !== undefined && undoOf === undefined) operation.checkMeant?.(payload, before.record);
  const hash = hashEnvelope({
    ...envelope,
    ...(before === undefined ? {} : { before: before.hash }),
    ...(verdict === undefined ? {} : { policy: verdict.version }),
  });
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
    summary: clipSummary(operation.summary(payload, connection.label)),
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
    arguments_hash: asked.argumentsHash,
    before_record: before?.json ?? null,
    before_hash: before?.hash ?? null,
    policy: verdict === undefined ? null : toJson(verdict),
    proposed_payload: null,
    proposed_hash: null,
    edit_reason: null,
    snoozed_until: null,
    assigned_to: null,
    hold_until: null,
    undo_of: undoOf ?? null,
    citations: proposal.citations === undefined ? null : toJson(proposal.citations),
    idempotency_key: asked.key ?? null,
    proof: null,
    conversation: proposal.conversation ?? null,
    erased_at: null,
  };
  const byRule = await automatic(room, org, row, verdict);
  const result = await org.write(async (tx) => {
    await lockProposal(tx, org, [asked.argumentsHash, asked.key ?? '', `${by.kind}/${by.id}`]);
    const same = await sameProposal(tx, org.orgId, asked, now);
    if (same !== undefined) return { action: await actionOf(tx, same), attached: true };
    await checkRate(room, tx, org.orgId, by, now);
    await tx.insertInto('action_queue').values(row).execute();
    for (const attachment of attachments) {
      await tx
        .insertInto('action_attachments')
        .values({ org_id: org.orgId, action_id: row.id, ...attachment })
        .execute();
    }
    const channel: Channel = principal.kind === 'agent' ? 'mcp' : 'terminal';
    await recordEvent(room, tx, row, {
      actionId: row.id,
      from: undefined,
      to: 'pending',
      at: now,
      by,
      channel,
      detail: { hash },
    });
    const approved = byRule ? await move(room, tx, org.orgId, byPolicy(room, row, now)) : undefined;
    return { action: await actionOf(tx, approved ?? row), attached: false };
  });
  if (!result.attached) room.announce(org.orgId, result.action);
  return result;
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
export function newEffectKey(): string {
  return `dbx${Array.from(randomBytes(26), (byte) => base32.charAt(byte & 31)).join('')}`;
}

export function clipSummary(text: string): string {
  return clip(text, longestSummary);
}

function clip(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

function checkTold({ note, conversation, citations = [], idempotencyKey }: Proposal): void {
  if (note !== undefined && note.length > longestNote) throw tooLong('note');
  if (conversation !== undefined && conversation.length > longestNote) throw tooLong('conversation');
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]{1,200}$/.test(idempotencyKey)) {
    throw new DrawbridgeError(
      'invalid_request',
      'idempotencyKey: must be 1 to 200 letters, digits or signs.',
      {
        field: 'idempotencyKey',
      },
    );
  }
  if (
    citations.length > mostCitations ||
    citations.some((uri) => !/^ime:\/\/documents\/\S{1,200}$/.test(uri))
  ) {
    throw new DrawbridgeError(
      'invalid_request',
      `citations: at most ${mostCitations}, each ime://documents/…`,
      { field: 'citations' },
    );
  }
}

function tooLong(field: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `${field}: is longer than ${longestNote} characters.`, {
    field,
  });
}

/** @throws DrawbridgeError `auth_expired` when a person must connect the account again first. */
export function checkUsable(connection: Connection): void {
  if (usableStates.includes(connection.state)) return;
  throw new DrawbridgeError(
    'auth_expired',
    `${connection.providerTitle} account ${connection.label} is ${connection.state.toLowerCase()}. Connect it again: drawbridge connect ${connection.provider}`,
  );
}
