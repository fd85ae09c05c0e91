// The queue as lists show it: by filter, a page at a time, without payloads; and what tells a list that it
// is out of date.
import type { ExpressionBuilder, Kysely } from 'kysely';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionStatus, OrgTables } from '../store/tables.ts';

/** An action on one line. */
export interface ActionLine {
  id: string;
  status: ActionStatus;
  operation: string;
  effect: string;
  provider: string;
  connectionId: string;
  accountLabel: string;
  summary: string;
  payloadHash: string;
  proposedBy: Asker;
  proposedAt: number;
  expiresAt: number;
  decidedAt: number | undefined;
  decidedBy: string | undefined;
  decisionChannel: string | undefined;
  decisionReason: string | undefined;
  finishedAt: number | undefined;
  snoozedUntil: number | undefined;
  assignedTo: string | undefined;
  conversation: string | undefined;
}

/** Who proposed: `id` is the member's or the key's. */
export interface Asker {
  kind: string;
  id: string;
  name: string;
}

export interface LineFilter {
  statuses?: readonly ActionStatus[] | undefined;
  /** Of the pending: those that were put off to after `now` (`only`), or those that were not (`none`). */
  snoozed?: { now: number; show: 'only' | 'none' } | undefined;
  /** A member's id: what was handed over to them. */
  assignedTo?: string | undefined;
  provider?: string | undefined;
  /** An asker's id. */
  askedBy?: string | undefined;
  /** Every word of it stands in the summary. */
  words?: string | undefined;
  /** Proposed at or after, and before; integer ms. */
  since?: number | undefined;
  until?: number | undefined;
  /** The last id of the page before. */
  before?: string | undefined;
}

const columns = [
  'id',
  'status',
  'operation',
  'effect',
  'provider',
  'connection_id',
  'account_label',
  'summary',
  'payload_hash',
  'proposed_by',
  'proposed_at',
  'expires_at',
  'decided_at',
  'decided_by',
  'decision_channel',
  'decision_reason',
  'finished_at',
  'snoozed_until',
  'assigned_to',
  'conversation',
] as const;

const mostWords = 8;

type Where = ExpressionBuilder<OrgTables, 'action_queue'>;

function conditions(e: Where, org: OrgStore, filter: LineFilter) {
  const all = [e('org_id', '=', org.orgId)];
  const { statuses, snoozed, assignedTo, provider, askedBy, words, since, until, before } = filter;
  if (statuses !== undefined) all.push(e('status', 'in', [...statuses]));
  if (snoozed?.show === 'only') all.push(e('snoozed_until', '>', snoozed.now));
  if (snoozed?.show === 'none') {
    all.push(e.or([e('snoozed_until', 'is', null), e('snoozed_until', '<=', snoozed.now)]));
  }
  if (assignedTo !== undefined) all.push(e('assigned_to', '=', assignedTo));
  if (provider !== undefined) all.push(e('provider', '=', provider));
  if (askedBy !== undefined)
    all.push(e(holds(e, org, 'proposed_by', `"id":${JSON.stringify(askedBy)}`), '>', 0));
  for (const word of wordsOf(words)) all.push(e(holds(e, org, 'summary', word), '>', 0));
  if (since !== undefined) all.push(e('proposed_at', '>=', since));
  if (until !== undefined) all.push(e('proposed_at', '<', until));
  // Ids begin with their time, so their order is the order of proposal.
  if (before !== undefined) all.push(e('id', '<', before));
  return e.and(all);
}

/** Where `text` stands in the column, from 1; 0: nowhere. Capitals of ASCII count as small letters. */
function holds(e: Where, org: OrgStore, column: 'summary' | 'proposed_by', text: string) {
  const lower = e.fn<string>('lower', [column]);
  return e.fn<number>(org.dialect === 'postgres' ? 'strpos' : 'instr', [
    lower,
    e.fn<string>('lower', [e.val(text)]),
  ]);
}

function wordsOf(words: string | undefined): string[] {
  return (words ?? '')
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, mostWords);
}

/** Newest first, at most `limit`. */
export async function findLines(org: OrgStore, filter: LineFilter, limit: number): Promise<ActionLine[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select(columns)
      .where((e) => conditions(e, org, filter))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    operation: row.operation,
    effect: row.effect,
    provider: row.provider,
    connectionId: row.connection_id,
    accountLabel: row.account_label,
    summary: row.summary,
    payloadHash: row.payload_hash,
    proposedBy: fromJson<Asker>(row.proposed_by),
    proposedAt: row.proposed_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by === null ? undefined : fromJson<Asker>(row.decided_by).name,
    decisionChannel: row.decision_channel ?? undefined,
    decisionReason: row.decision_reason ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    snoozedUntil: row.snoozed_until ?? undefined,
    assignedTo: row.assigned_to ?? undefined,
    conversation: row.conversation ?? undefined,
  }));
}

export async function countLines(org: OrgStore, filter: LineFilter): Promise<number> {
  const row = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select((e) => e.fn.countAll().as('count'))
      .where((e) => conditions(e, org, filter))
      .executeTakeFirstOrThrow(),
  );
  return Number(row.count);
}

/** Who has proposed, by name; each once, at most a hundred. */
export async function askers(org: OrgStore): Promise<Asker[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select('proposed_by')
      .distinct()
      .where('org_id', '=', org.orgId)
      .limit(500)
      .execute(),
  );
  const found = new Map<string, Asker>();
  for (const row of rows) {
    const asker = fromJson<Asker>(row.proposed_by);
    if (!found.has(asker.id)) found.set(asker.id, asker);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name)).slice(0, 100);
}

/**
 * A word that changes with every move of any action, by whichever process, and when one that was put off is
 * due again. `now`: integer ms.
 */
export async function pulse(org: OrgStore, now: number): Promise<string> {
  return org.read(async (db) => {
    const [moves, asleep] = await Promise.all([count(db, org.orgId), countLater(db, org.orgId, now)]);
    return `${moves}-${asleep}`;
  });
}

async function count(db: Kysely<OrgTables>, orgId: string): Promise<number> {
  const row = await db
    .selectFrom('action_events')
    .select((e) => e.fn.countAll().as('count'))
    .where('org_id', '=', orgId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function countLater(db: Kysely<OrgTables>, orgId: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('action_queue')
    .select((e) => e.fn.countAll().as('count'))
    .where('org_id', '=', orgId)
    .where('snoozed_until', '>', now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
