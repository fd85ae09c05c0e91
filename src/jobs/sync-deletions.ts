// The brake on deletions. What a sync says is gone is forgotten at its end, all of it or, where that is more than
// a fifth of what its connection has live, nothing: then a person decides, and syncing goes on meanwhile.
import type { Kysely, Transaction } from 'kysely';
import type { Audit } from '../audit/audit.ts';
import type { Person } from '../auth/principal.ts';
import { makerOf } from '../auth/record-change.ts';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import type { IngestBatch, Memory } from '../memory/memory.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';

/** More than this part of the live records at once … */
const mostPart = 0.2;
/** … and more than so many of them ask a person. */
const mostAtOnce = 10;
/** Forgotten in one transaction. */
const forgottenAtOnce = 200;
const examples = 5;

type Db = Kysely<OrgTables>;

/** Records of a connection that are in answers; attachments go with their mail, and are none. */
export async function liveRecords(db: Db, orgId: string, connectionId: string): Promise<number> {
  const { count } = await db
    .selectFrom('source_documents')
    .select((is) => is.fn.countAll().as('count'))
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .where('deleted_at', 'is', null)
    .where('external_id', 'not like', '% attachment:%')
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function countIn(
  db: Db,
  orgId: string,
  connectionId: string,
  states: readonly OrgTables['held_deletions']['state'][],
): Promise<number> {
  const { count } = await db
    .selectFrom('held_deletions')
    .select((is) => is.fn.countAll().as('count'))
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .where('state', 'in', [...states])
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function moveAll(
  tx: Transaction<OrgTables>,
  given: { orgId: string; connectionId: string; from: 'gathered' | 'held'; to: 'agreed' | 'held' | 'kept' },
): Promise<void> {
  await tx
    .updateTable('held_deletions')
    .set({ state: given.to })
    .where('org_id', '=', given.orgId)
    .where('connection_id', '=', given.connectionId)
    .where('state', '=', given.from)
    .execute();
}

/**
 * What becomes of everything that was kept aside, once every feed has run: agreed to, or held for a person.
 * @param given.before live records when the sync began; `forgotten`: since then, by runs of it that failed
 * @returns how many wait for a person
 */
export async function judgeDeletions(
  tx: Transaction<OrgTables>,
  given: { orgId: string; connectionId: string; before: number; forgotten: number; now: number },
): Promise<number> {
  const { orgId, connectionId, before, forgotten, now } = given;
  const gathered = await countIn(tx, orgId, connectionId, ['gathered']);
  const held = await countIn(tx, orgId, connectionId, ['held']);
  const vanishing = gathered + forgotten;
  const tooMany = gathered > 0 && vanishing > mostAtOnce && vanishing > mostPart * before;
  // While a person is asked, what else is gone belongs to the same question.
  const asks = held > 0 || tooMany;
  if (gathered > 0)
    await moveAll(tx, { orgId, connectionId, from: 'gathered', to: asks ? 'held' : 'agreed' });
  const waiting = asks ? held + gathered : 0;
  await tx
    .updateTable('sync_schedules')
    .set((row) => ({ asked_at: waiting === 0 ? null : row.fn.coalesce('asked_at', row.val(now)) }))
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
  return waiting;
}

/** Forgets what is agreed to, a short transaction at a time. A kill leaves the rest to the next call. */
export async function forgetAgreed(
  org: OrgStore,
  memory: Pick<Memory, 'ingest'>,
  { id, provider }: Pick<Connection, 'id' | 'provider'>,
  with_: { also?: NonNullable<IngestBatch['also']>; stored?: () => void } = {},
): Promise<number> {
  let forgotten = 0;
  for (;;) {
    if ((await org.read((db) => countIn(db, org.orgId, id, ['agreed']))) === 0) return forgotten;
    const { deleted } = await memory.ingest(
      org,
      { connectionId: id, provider },
      { records: [], agreed: forgottenAtOnce, ...(with_.also === undefined ? {} : { also: with_.also }) },
    );
    with_.stored?.();
    forgotten += deleted;
  }
}

export interface DeletionsAsked {
  /** How many records are gone at the provider, and still here. */
  count: number;
  /** Titles of some of them. */
  titles: string[];
  /** Integer ms. */
  since: number;
}

/** What a person is asked about a connection; undefined: nothing. */
export async function deletionsAsked(
  db: Db,
  orgId: string,
  connectionId: string,
): Promise<DeletionsAsked | undefined> {
  const row = await db
    .selectFrom('sync_schedules')
    .select('asked_at')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .executeTakeFirst();
  if (row?.asked_at == null) return undefined;
  const some = await db
    .selectFrom('held_deletions as h')
    .innerJoin('source_documents as d', (join) =>
      join
        .onRef('d.org_id', '=', 'h.org_id')
        .onRef('d.connection_id', '=', 'h.connection_id')
        .onRef('d.external_id', '=', 'h.external_id'),
    )
    .select('d.title')
    .where('h.org_id', '=', orgId)
    .where('h.connection_id', '=', connectionId)
    .where('h.state', '=', 'held')
    .orderBy('d.written_at', 'desc')
    .limit(examples)
    .execute();
  return {
    count: await countIn(db, orgId, connectionId, ['held']),
    titles: some.map(({ title }) => title),
    since: row.asked_at,
  };
}

/**
 * A person's answer: `forget` what is gone at the provider, or `keep` it here for good. Recorded.
 * @returns how many records it was about
 * @throws DrawbridgeError `not_found` when nothing is asked; `permission_denied` for who is no person
 */
export async function decideDeletions(
  org: OrgStore,
  person: Person,
  parts: { audit: Pick<Audit, 'append'>; memory: Pick<Memory, 'ingest'> },
  given: { connection: Connection; answer: 'forget' | 'keep'; channel: string },
): Promise<number> {
  if (person.kind !== 'person' || person.orgId !== org.orgId) {
    throw new DrawbridgeError('permission_denied', 'Only a person of this org decides about deletions.');
  }
  const { connection, answer, channel } = given;
  const { id } = connection;
  const at = await org.now();
  const count = await org.write(async (tx) => {
    const held = await countIn(tx, org.orgId, id, ['held']);
    if (held === 0) {
      throw new DrawbridgeError(
        'not_found',
        `Nothing is asked about ${connection.label}: no deletions are held.`,
      );
    }
    await moveAll(tx, {
      orgId: org.orgId,
      connectionId: id,
      from: 'held',
      to: answer === 'forget' ? 'agreed' : 'kept',
    });
    await tx
      .updateTable('sync_schedules')
      .set({ asked_at: null, updated_at: at })
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', id)
      .execute();
    await parts.audit.append(tx, org.orgId, at, {
      kind: answer === 'forget' ? 'sync.deletions-confirmed' : 'sync.deletions-kept',
      subject: id,
      by: makerOf(person),
      channel,
      facts: { connection: id, provider: connection.provider, records: held },
    });
    return held;
  });
  if (answer === 'forget') await forgetAgreed(org, parts.memory, connection);
  return count;
}
