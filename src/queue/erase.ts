// Takes what an action says out of the queue, its history, its attachments and the record, in one transaction.
// Hashes, ids, states and times stay: whoever has the text elsewhere can still hold it against them.
import type { Kysely, Transaction } from 'kysely';
import { eraseAbout, eraseNaming } from '../audit/erase.ts';
import { lowerAscii, mentions } from '../audit/mentions.ts';
import type { Person } from '../auth/principal.ts';
import { DrawbridgeError } from '../errors.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { checkReason, mustBePerson } from './decide/decide.ts';
import type { ActionRow } from './envelope.ts';
import { isFinal } from './moves.ts';
import { moverOf } from './propose/propose.ts';
import type { Action, ActionOutcome, Channel } from './queue.ts';
import { actionOf, rowOf } from './read.ts';
import { type QueueRoom, sameOrg } from './room.ts';

/** What stands in the place of a summary. */
const erasedSummary = '(erased)';

export interface ErasedPerson {
  /** Ids of the actions that were erased. */
  actions: string[];
  /** Those that name the address and may still run: they were left as they are. */
  live: { id: string; status: ActionRow['status'] }[];
  /** Values of other entries of the record that named the address, and are gone. */
  values: number;
}

/**
 * @param given.reason why; it is recorded, and is itself erased with the action's next erasure
 * @throws DrawbridgeError `conflict` for an action that may still run; `not_found`
 */
export async function eraseAction(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  given: { actionId: string; reason: string; channel: Channel },
): Promise<Action> {
  checkErasing(org, person, given);
  const at = await org.now();
  const { action, isNew } = await org.write(async (tx) => {
    const row = await rowOf(tx, org.orgId, given.actionId);
    if (!isFinal(row.status)) throw stillLive(row);
    const isErased = row.erased_at !== null;
    const erased = isErased ? row : await eraseRow(room, tx, row, { ...given, person, at });
    return { action: await actionOf(tx, erased), isNew: !isErased };
  });
  if (isNew) room.announce(org.orgId, action);
  return action;
}

/**
 * Every final action that names the address in any field, its history or its outcome, and every value of the
 * record that does. Each action is a transaction, so it can be killed anywhere and run again.
 */
export async function erasePerson(
  room: QueueRoom,
  org: OrgStore,
  person: Person,
  given: { address: string; reason: string; channel: Channel },
): Promise<ErasedPerson> {
  checkErasing(org, person, given);
  const address = given.address.trim();
  if (!/^[^\s@"<>]{1,64}@[^\s@"<>]{1,255}$/u.test(address)) {
    throw new DrawbridgeError('invalid_request', 'address: must be one e-mail address.', {
      field: 'address',
    });
  }
  const found = await rowsNaming(org, address);
  const live = found.filter(({ status }) => !isFinal(status));
  const final = found.filter(({ status }) => isFinal(status));
  for (const { id } of final) await eraseAction(room, org, person, { ...given, actionId: id });
  const values = await eraseNaming(org, address, new Set(live.map(({ id }) => id)));
  const at = await org.now();
  // Whose address it was is not recorded: the entry would name again who asked not to be named.
  await org.write((tx) =>
    Promise.resolve(
      room.audit?.append(tx, org.orgId, at, {
        kind: 'person.erased',
        subject: 'person',
        by: moverOf(person),
        channel: given.channel,
        facts: { actions: final.length, live: live.length, values },
        values: { reason: given.reason },
      }),
    ),
  );
  return { actions: final.map(({ id }) => id), live, values };
}

function checkErasing(org: OrgStore, person: Person, given: { reason: string; channel: Channel }): void {
  mustBePerson(person, given.channel);
  sameOrg(org, person);
  if (given.reason.trim() === '') {
    throw new DrawbridgeError('invalid_request', 'reason: say why it is erased.', { field: 'reason' });
  }
  checkReason(given.reason);
}

function stillLive({ id, status }: ActionRow): DrawbridgeError {
  const first = {
    pending: 'it waits for a decision: reject it first',
    approved: 'it is about to run: cancel it, or let it run, first',
    executing: 'it is running: wait for its outcome',
    unknown: 'it is not known whether it happened: settle it first',
  }[status as string];
  return new DrawbridgeError(
    'conflict',
    `Nothing of ${id} was erased, because ${first ?? `it is ${status}`}.`,
  );
}

async function eraseRow(
  room: QueueRoom,
  tx: Transaction<OrgTables>,
  row: ActionRow,
  given: { person: Person; reason: string; channel: Channel; at: number },
): Promise<ActionRow> {
  const { org_id: orgId, id } = row;
  const erased = await tx
    .updateTable('action_queue')
    .set({
      payload: '{}',
      proposed_payload: null,
      before_record: null,
      preview: toJson({ warnings: [] }),
      summary: erasedSummary,
      note: null,
      outcome: row.outcome === null ? null : toJson(bare(fromJson<ActionOutcome>(row.outcome))),
      citations: null,
      edit_reason: null,
      decision_reason: null,
      conversation: null,
      erased_at: given.at,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '=', row.status)
    .returningAll()
    .executeTakeFirst();
  if (erased === undefined) throw new DrawbridgeError('conflict', `Action ${id} has moved meanwhile.`);
  const events = await eraseEvents(tx, row);
  const { numDeletedRows } = await tx
    .deleteFrom('action_attachments')
    .where('org_id', '=', orgId)
    .where('action_id', '=', id)
    .executeTakeFirst();
  const values = await eraseAbout(tx, orgId, id);
  await room.audit?.append(tx, orgId, given.at, {
    kind: 'action.erased',
    subject: id,
    by: moverOf(given.person),
    channel: given.channel,
    facts: {
      hash: row.payload_hash,
      proposedHash: row.proposed_hash,
      beforeHash: row.before_hash,
      events,
      attachments: Number(numDeletedRows),
      values,
    },
    values: { reason: given.reason },
  });
  return erased;
}

/** What kind of end it came to, without a word of it. */
function bare(outcome: ActionOutcome): ActionOutcome {
  switch (outcome.kind) {
    case 'completed':
      return {
        kind: 'completed',
        reference: erasedSummary,
        details: {},
        ...(outcome.found === undefined ? {} : { found: outcome.found }),
      };
    case 'failed':
      return { kind: 'failed', code: outcome.code, message: erasedSummary };
    case 'unknown':
      return { kind: 'unknown', message: erasedSummary, evidence: [] };
  }
}

/** Of each event's detail the hashes and numbers stay: what was approved is still told by the first. */
async function eraseEvents(tx: Transaction<OrgTables>, { org_id: orgId, id }: ActionRow): Promise<number> {
  const events = await tx
    .selectFrom('action_events')
    .select(['seq', 'detail'])
    .where('org_id', '=', orgId)
    .where('action_id', '=', id)
    .execute();
  for (const { seq, detail } of events) {
    const kept = Object.entries(fromJson<Record<string, unknown>>(detail)).filter(
      ([, value]) => typeof value === 'number' || (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)),
    );
    await tx
      .updateTable('action_events')
      .set({ detail: toJson(Object.fromEntries(kept)) })
      .where('org_id', '=', orgId)
      .where('action_id', '=', id)
      .where('seq', '=', seq)
      .execute();
  }
  return events.length;
}

const columns = [
  'payload',
  'proposed_payload',
  'before_record',
  'preview',
  'summary',
  'note',
  'outcome',
  'decision_reason',
  'edit_reason',
  'conversation',
] as const;
const page = 100;

/** The actions that name the address, oldest first: asked of the database by a part, and then read whole. */
async function rowsNaming(
  org: OrgStore,
  address: string,
): Promise<{ id: string; status: ActionRow['status'] }[]> {
  const isNamed = mentions(address);
  const found: { id: string; status: ActionRow['status'] }[] = [];
  for (let after = ''; ; ) {
    const from = after;
    const rows = await org.read((db) => pageNaming(db, org, address, from));
    for (const row of rows) {
      const texts = [...columns.map((column) => row[column]), ...row.details];
      if (texts.some(isNamed)) found.push({ id: row.id, status: row.status });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < page) return found;
    after = last.id;
  }
}

async function pageNaming(db: Kysely<OrgTables>, org: OrgStore, address: string, after: string) {
  const place = org.dialect === 'postgres' ? 'strpos' : 'instr';
  const wanted = lowerAscii(address);
  const rows = await db
    .selectFrom('action_queue')
    .select(['id', 'status', ...columns])
    .where('org_id', '=', org.orgId)
    .where('id', '>', after)
    .where('erased_at', 'is', null)
    .where((e) =>
      e.or([
        ...columns.map((column) =>
          e(e.fn<number>(place, [e.fn<string>('lower', [column]), e.val(wanted)]), '>', 0),
        ),
        e.exists(
          e
            .selectFrom('action_events')
            .select('action_events.seq')
            .where('action_events.org_id', '=', org.orgId)
            .whereRef('action_events.action_id', '=', 'action_queue.id')
            .where((of) =>
              of(
                of.fn<number>(place, [of.fn<string>('lower', ['action_events.detail']), of.val(wanted)]),
                '>',
                0,
              ),
            ),
        ),
      ]),
    )
    .orderBy('id')
    .limit(page)
    .execute();
  return Promise.all(
    rows.map(async (row) => {
      const events = await db
        .selectFrom('action_events')
        .select('detail')
        .where('org_id', '=', org.orgId)
        .where('action_id', '=', row.id)
        .execute();
      return { ...row, details: events.map(({ detail }) => detail) };
    }),
  );
}
