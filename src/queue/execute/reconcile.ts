// An unknown action is looked up at its provider, ever more rarely, and never sent again. When looking
// cannot tell, it stays unknown, with the evidence, for a person.
import { DrawbridgeError } from '../../errors.ts';
import type { LookUp } from '../../providers/define.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { approvedRecord } from '../before.ts';
import { type ActionRow, hashRow } from '../envelope.ts';
import { moveAction } from '../moves.ts';
import { attachmentBytes } from '../propose/attachments.ts';
import type { ActionOutcome } from '../queue.ts';
import { rowOf } from '../read.ts';
import { lateEffectMs, lookUpBackOff, lookUpLimitMs, type QueueRoom } from '../room.ts';
import { executorMover } from './claim.ts';
import type { DueRow } from './due.ts';
import { clean, completedOutcome, evidenceOf, withEvidence } from './outcome.ts';

type Unknown = Extract<ActionOutcome, { kind: 'unknown' }>;

/** Looks one unknown action up, once. @returns whether it moved. */
export async function reconcile(room: QueueRoom, org: OrgStore, due: DueRow): Promise<boolean> {
  const row = await takeLookUp(org, due);
  if (row === undefined) return false;
  const found = await look(room, org, row);
  const now = await org.now();
  const before = row.outcome === null ? undefined : fromJson<ActionOutcome>(row.outcome);
  const unknown: Unknown =
    before?.kind === 'unknown'
      ? before
      : { kind: 'unknown', message: 'It is not clear whether it happened.', evidence: [] };
  const common = {
    actionId: row.id,
    from: 'unknown' as const,
    at: now,
    by: executorMover(room),
    channel: 'executor' as const,
  };
  if (found.kind === 'found') {
    const outcome = completedOutcome(found.outcome, 'by look-up');
    const moved = await moveAction(room, org, {
      ...common,
      to: 'completed',
      detail: { reference: outcome.reference, found: 'by look-up', evidence: unknown.evidence },
      set: { outcome: toJson(outcome) },
    });
    return moved !== undefined;
  }
  const early = row.sending_at !== null && now - row.sending_at < lateEffectMs;
  if (found.kind === 'absent' && !early) {
    const outcome: ActionOutcome = {
      kind: 'failed',
      code: 'not_found',
      message: `It did not happen: ${clean(found.evidence, 500)} Propose it again if it is still wanted.`,
    };
    const moved = await moveAction(room, org, {
      ...common,
      to: 'failed',
      detail: { evidence: [...unknown.evidence, found.evidence] },
      set: { outcome: toJson(outcome) },
    });
    return moved !== undefined;
  }
  await keepEvidence(
    room,
    org,
    row,
    withEvidence(unknown, now, clean(found.evidence, 500)),
    found.kind === 'never',
  );
  return false;
}

/** One process takes each look-up: the count of those made is in the WHERE. */
async function takeLookUp(org: OrgStore, due: DueRow): Promise<ActionRow | undefined> {
  const now = await org.now();
  const rest = lookUpBackOff[due.look_ups + 1];
  return org.write(async (tx) => {
    const taken = await tx
      .updateTable('action_queue')
      .set({ look_ups: due.look_ups + 1, next_look_up_at: rest === undefined ? null : now + rest })
      .where('org_id', '=', org.orgId)
      .where('id', '=', due.id)
      .where('status', '=', 'unknown')
      .where('look_ups', '=', due.look_ups)
      .returning('id')
      .executeTakeFirst();
    return taken === undefined ? undefined : rowOf(tx, org.orgId, due.id);
  });
}

type Finding =
  | { kind: 'found'; outcome: Extract<LookUp, { found: true }>['outcome'] }
  | { kind: 'absent' | 'unclear' | 'never'; evidence: string };

async function look(room: QueueRoom, org: OrgStore, row: ActionRow): Promise<Finding> {
  try {
    const operation = await room.connections.write(
      org,
      await room.connections.get(org, row.connection_id),
      row.operation,
    );
    if (operation.idempotency === 'none') {
      return { kind: 'never', evidence: 'The provider offers no way to look it up; a person has to say.' };
    }
    if (hashRow(row) !== row.payload_hash) {
      return { kind: 'never', evidence: 'What is stored is not what was approved; a person has to look.' };
    }
    const connection = await room.connections.get(org, row.connection_id);
    const stop = new AbortController();
    const context = await room.connections.writeContext(org, connection, row.operation, {
      effectKey: row.effect_key,
      before: approvedRecord(row),
      attachment: (sha256) => attachmentBytes(org, row.id, sha256),
      aboutToSend: async () => {
        throw new DrawbridgeError('permission_denied', 'A look-up sends nothing.');
      },
      signal: stop.signal,
    });
    const looking = operation.lookUp(context, JSON.parse(row.payload));
    const found = await withinLimit(room, looking, stop);
    if (found.found) return { kind: 'found', outcome: found.outcome };
    return { kind: found.conclusive ? 'absent' : 'unclear', evidence: found.evidence };
  } catch (error) {
    room.log.warn({ err: error, action: row.id }, 'An unknown action could not be looked up');
    return { kind: 'unclear', evidence: `It could not be looked up (${evidenceOf(error)}).` };
  }
}

async function withinLimit(
  room: QueueRoom,
  looking: Promise<LookUp>,
  stop: AbortController,
): Promise<LookUp> {
  const done = new AbortController();
  const limit = room.clock.sleep(lookUpLimitMs, { signal: done.signal, unref: true }).then(() => {
    stop.abort();
    throw new DrawbridgeError('timeout', 'The look-up took too long.');
  });
  // When the look-up ends first, the sleep ends by being aborted; that is no failure of anything.
  limit.catch(() => undefined);
  // And the other way about: a look-up that is given up may still fail, unheard.
  looking.catch(() => undefined);
  try {
    return await Promise.race([looking, limit]);
  } finally {
    done.abort();
  }
}

async function keepEvidence(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  outcome: Unknown,
  givenUp: boolean,
): Promise<void> {
  await org.write((tx) =>
    tx
      .updateTable('action_queue')
      .set({ outcome: toJson(outcome), ...(givenUp ? { next_look_up_at: null } : {}) })
      .where('org_id', '=', org.orgId)
      .where('id', '=', row.id)
      .where('status', '=', 'unknown')
      .where('look_ups', '=', row.look_ups)
      .execute(),
  );
  room.log.info({ action: row.id, lookUps: row.look_ups }, 'An action is still unknown');
}
