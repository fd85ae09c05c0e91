// Actions and their history as they stand in the database, in the words of the contract.
import type { Kysely } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import type { LiveRecord } from '../providers/define.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionStatus, OrgTables } from '../store/tables.ts';
import type { ActionRow } from './envelope.ts';
import type { Action, ActionEvent, ActionOutcome, Channel, PolicyVerdict } from './queue.ts';

type Db = Kysely<OrgTables>;

const pageSize = 50;
const largestPage = 200;

/** @throws DrawbridgeError `not_found` */
export async function rowOf(db: Db, orgId: string, id: string): Promise<ActionRow> {
  const row = await db
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) {
    throw new DrawbridgeError('not_found', `There is no action ${JSON.stringify(id.slice(0, 100))}.`);
  }
  return row;
}

/** The action of one row, with what is attached to it. */
export async function actionOf(db: Db, row: ActionRow): Promise<Action> {
  const [action] = await actionsOf(db, row.org_id, [row]);
  if (action === undefined) throw new Error('A row became no action');
  return action;
}

async function actionsOf(db: Db, orgId: string, rows: ActionRow[]): Promise<Action[]> {
  if (rows.length === 0) return [];
  const attached = await db
    .selectFrom('action_attachments')
    .select(['action_id', 'name', 'media_type', 'size', 'sha256'])
    .where('org_id', '=', orgId)
    .where(
      'action_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    operation: row.operation,
    effect: row.effect,
    provider: row.provider,
    connectionId: row.connection_id,
    accountLabel: row.account_label,
    summary: row.summary,
    payload: parsed(row.payload),
    payloadHash: row.payload_hash,
    warnings: fromJson<{ warnings: string[] }>(row.preview).warnings,
    attachments: attached
      // An edit may have left some out.
      .filter((one) => one.action_id === row.id && row.payload.includes(one.sha256))
      .map((one) => ({ name: one.name, mediaType: one.media_type, size: one.size, sha256: one.sha256 })),
    proposedBy: named(row.proposed_by),
    note: row.note ?? undefined,
    proposedAt: row.proposed_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by === null ? undefined : { name: named(row.decided_by).name },
    decisionChannel: row.decision_channel ?? undefined,
    decisionReason: row.decision_reason ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    outcome: row.outcome === null ? undefined : fromJson<ActionOutcome>(row.outcome),
    before: row.before_record === null ? undefined : fromJson<LiveRecord>(row.before_record),
    policy: row.policy === null ? undefined : fromJson<PolicyVerdict>(row.policy),
    proposed:
      row.proposed_payload === null
        ? undefined
        : {
            payload: parsed(row.proposed_payload),
            payloadHash: row.proposed_hash ?? '',
            reason: row.edit_reason ?? undefined,
          },
    snoozedUntil: row.snoozed_until ?? undefined,
    assignedTo: row.assigned_to ?? undefined,
    holdUntil: row.hold_until ?? undefined,
    undoOf: row.undo_of ?? undefined,
    undo: undefined,
    citations: row.citations === null ? [] : fromJson<string[]>(row.citations),
    conversation: row.conversation ?? undefined,
    erasedAt: row.erased_at ?? undefined,
    proof: row.proof === null ? undefined : proofOf(row.proof),
  }));
}

/** A payload that someone tampered with must not take the whole list down: it is shown as the text it is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function proofOf(text: string): Action['proof'] {
  const { credential, name, at } = fromJson<{ credential: string; name: string; at: number }>(text);
  return { credential, name, at };
}

function named(by: string): { kind: string; name: string } {
  const { kind, name } = fromJson<{ kind: string; name: string }>(by);
  return { kind, name };
}

export interface ActionFilter {
  statuses?: ActionStatus[];
  limit?: number;
  before?: string;
  /** Only what this one proposed: its kind, and the id of the member or the key. */
  proposedBy?: { kind: string; id: string };
  /** Also those that a person put off; whoever asks for what one proposed gets them anyway. */
  snoozed?: boolean;
  /** Only what this member is asked about. */
  assignedTo?: string;
}

/** Newest first. `before`: the id of the last action of the page before. At most 200 at once. */
export async function listActions(org: OrgStore, filter: ActionFilter = {}): Promise<Action[]> {
  const limit = Math.min(Math.max(Math.trunc(filter.limit ?? pageSize), 1), largestPage);
  const now = await org.now();
  return org.read(async (db) => {
    let query = db.selectFrom('action_queue').selectAll().where('org_id', '=', org.orgId);
    if (filter.statuses !== undefined) {
      if (filter.statuses.length === 0) return [];
      query = query.where('status', 'in', filter.statuses);
    }
    // Ids begin with their time, so their order is the order of proposal.
    if (filter.before !== undefined) query = query.where('id', '<', filter.before);
    if (filter.proposedBy !== undefined) {
      // What `moverOf` wrote begins so, and then comes the name, which a client may change: from the comma to
      // the character after it.
      const { kind, id } = filter.proposedBy;
      const start = toJson({ kind, id }).slice(0, -1);
      query = query.where('proposed_by', '>=', `${start},`).where('proposed_by', '<', `${start}-`);
    }
    if (filter.assignedTo !== undefined) query = query.where('assigned_to', '=', filter.assignedTo);
    if (filter.snoozed !== true && filter.proposedBy === undefined) {
      query = query.where((eb) =>
        eb.or([
          eb('snoozed_until', 'is', null),
          eb('snoozed_until', '<=', now),
          eb('status', '!=', 'pending'),
        ]),
      );
    }
    const rows = await query.orderBy('id', 'desc').limit(limit).execute();
    return actionsOf(db, org.orgId, rows);
  });
}

/** Every move of an action, first to last. @throws DrawbridgeError `not_found` */
export async function eventsOf(org: OrgStore, id: string): Promise<ActionEvent[]> {
  return org.read(async (db) => {
    await rowOf(db, org.orgId, id);
    const rows = await db
      .selectFrom('action_events')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('action_id', '=', id)
      .orderBy('seq')
      .execute();
    return rows.map((row) => ({
      seq: row.seq,
      from: (row.from_status ?? undefined) as ActionStatus | undefined,
      to: row.to_status as ActionStatus,
      at: row.at,
      by: named(row.by),
      channel: row.channel as Channel,
      detail: fromJson<Record<string, unknown>>(row.detail),
    }));
  });
}
