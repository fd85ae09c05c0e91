// What became of sources that were used: whether each still stands and still says what it said.
import type { Kysely } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { factsOf } from '../clients/facts.ts';
import { groupsOf, rootsOf } from '../clients/keys.ts';
import { parts } from '../documents/known-rows.ts';
import { readable } from '../documents/readable.sql.ts';

export type SourceState = 'unchanged' | 'changed' | 'vanished';

export interface SourceNow {
  documentId: string | undefined;
  title: string | undefined;
  kind: string | undefined;
  source: string | undefined;
  writtenAt: number | undefined;
  state: SourceState;
}

type Attribution = Pick<
  OrgTables['source_attribution'],
  'chunk_id' | 'fact_id' | 'brain_id' | 'document_id' | 'content_hash'
>;

const atOnce = 200;

/** A passage that moved within its document still says the same: it is known by its hash, not by its place. */
export async function sourcesNow(
  db: Kysely<OrgTables>,
  org: Pick<OrgStore, 'orgId' | 'viewer'>,
  used: readonly Attribution[],
): Promise<(one: Attribution) => SourceNow> {
  const wanted = [...new Set(used.flatMap((one) => one.document_id ?? []))];
  const documents = new Map<string, Omit<SourceNow, 'state'>>();
  const closed = new Set<string>();
  const passages = new Set<string>();
  for (const ids of parts(wanted, atOnce)) {
    const rows = await db
      .selectFrom('source_documents as d')
      .leftJoin('connected_sources as s', (join) =>
        join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
      )
      .select(['d.id', 'd.title', 'd.kind', 'd.written_at', 'd.provider', 's.label'])
      .select((e) => e.case().when(readable(org, 'd')).then(1).else(0).end().as('open'))
      .where('d.org_id', '=', org.orgId)
      .where('d.id', 'in', ids)
      .where('d.deleted_at', 'is', null)
      .execute();
    for (const row of rows) {
      if (row.open !== 1) {
        closed.add(row.id);
        continue;
      }
      documents.set(row.id, {
        documentId: row.id,
        title: row.title,
        kind: row.kind,
        source: row.label ?? row.provider,
        writtenAt: row.written_at ?? undefined,
      });
    }
    const chunks = await db
      .selectFrom('chunks')
      .select(['document_id', 'content_hash'])
      .where('org_id', '=', org.orgId)
      .where('document_id', 'in', ids)
      .execute();
    for (const row of chunks) passages.add(`${row.document_id} ${row.content_hash}`);
  }
  const facts = await factsNow(db, org.orgId, [...new Set(used.flatMap((one) => one.fact_id ?? []))]);
  const gone = {
    documentId: undefined,
    title: undefined,
    kind: undefined,
    source: undefined,
    writtenAt: undefined,
  };
  return (one) => {
    const document = one.document_id === null ? undefined : documents.get(one.document_id);
    if (one.fact_id !== null) {
      const isOpen = one.document_id === null || closed.has(one.document_id);
      const fact = document === undefined && !isOpen ? undefined : facts.get(one.fact_id);
      if (fact === undefined)
        return { ...(document ?? gone), state: document === undefined ? 'vanished' : 'changed' };
      return { ...(document ?? gone), state: fact === one.content_hash ? 'unchanged' : 'changed' };
    }
    // What whoever asks may not see still stands, or not: that it does is told, what it is called is not.
    const shown = document ?? (closed.has(one.document_id ?? '') ? gone : undefined);
    if (shown === undefined) return { ...gone, state: 'vanished' };
    const same = passages.has(`${one.document_id} ${one.content_hash}`);
    return { ...shown, state: same ? 'unchanged' : 'changed' };
  };
}

/** Facts of clients that are there, by id: the hash of what stands, or '' where it stands no more. */
async function factsNow(
  db: Kysely<OrgTables>,
  orgId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const some of parts(ids, atOnce)) {
    const rows = await db
      .selectFrom('client_facts')
      .select('client_id')
      .distinct()
      .where('org_id', '=', orgId)
      .where('id', 'in', some)
      .where('client_id', 'is not', null)
      .execute();
    const clients = rows.flatMap(({ client_id }) => client_id ?? []);
    const roots = await rootsOf(db, orgId, clients);
    // Whether a fact stands is known among all of its client: a later record may say otherwise.
    for (const group of (await groupsOf(db, orgId, [...new Set(roots.values())])).values()) {
      const facts = await factsOf(
        { orgId },
        db,
        group.map(({ id }) => id),
      );
      for (const { id, stands, contentHash } of facts) found.set(id, stands ? contentHash : '');
    }
  }
  return found;
}
