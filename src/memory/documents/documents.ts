// Documents read back from memory. A tombstone and another org's id look alike: not there.
import type { Kysely, Selectable } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import type { DocumentKind, Person } from '../../providers/record.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { StoredDocument } from '../memory.ts';
import { attachedTo } from './attached.ts';
import { hashOf } from './content-hash.ts';
import { textOf } from './packed.ts';
import { payloadOf, unpack } from './payload.ts';
import { readable } from './readable.sql.ts';

function baseQuery(db: Kysely<OrgTables>, org: OrgStore) {
  return db
    .selectFrom('source_documents as d')
    .leftJoin('connected_sources as s', (join) =>
      join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
    )
    .selectAll('d')
    .select('s.label as source')
    .where('d.org_id', '=', org.orgId)
    .where('d.deleted_at', 'is', null)
    .where(readable(org, 'd'));
}

type Row = Selectable<OrgTables['source_documents']> & { source: string | null };

function toDocument(row: Row): StoredDocument {
  const { raw, facts } = unpack(row);
  return {
    id: row.id,
    kind: row.kind as DocumentKind,
    title: row.title,
    text: textOf(row),
    raw,
    mediaType: row.media_type,
    externalId: row.external_id,
    people: fromJson<Person[]>(row.people),
    threadId: row.thread_id ?? undefined,
    url: row.url ?? undefined,
    connectionId: row.connection_id,
    provider: row.provider,
    source: row.source ?? row.provider,
    writtenAt: row.written_at ?? undefined,
    fetchedAt: row.fetched_at,
    verifiedAt: row.verified_at,
    contentHash: hashOf(row.content_hash),
    facts: fromJson<Record<string, unknown>>(facts),
  };
}

/** @throws DrawbridgeError `not_found` */
export async function readDocument(org: OrgStore, id: string): Promise<StoredDocument> {
  const row = await org.read((db) => baseQuery(db, org).where('d.id', '=', id).executeTakeFirst());
  if (row === undefined) {
    throw new DrawbridgeError(
      'not_found',
      'There is no such document; it may have been deleted at its source.',
    );
  }
  return toDocument(row);
}

/** @throws DrawbridgeError `not_found`, also where the mail of an attachment is gone */
export async function readPayload(org: OrgStore, id: string): Promise<Uint8Array> {
  const document = await readDocument(org, id);
  const part = attachedTo(document.externalId);
  if (part === undefined) return document.raw;
  const mail = await org.read((db) =>
    baseQuery(db, org)
      .where('d.connection_id', '=', document.connectionId)
      .where('d.external_id', '=', part.mail)
      .executeTakeFirst(),
  );
  const { attachmentIn } = await import('../normalise/mail.ts');
  const bytes = mail === undefined ? undefined : await attachmentIn(payloadOf(mail), part.id);
  if (bytes === undefined) throw new DrawbridgeError('not_found', 'The mail that carried this file is gone.');
  return bytes;
}

/** Newest first; `before`: the id of the last document of the page before. */
export async function listDocuments(
  org: OrgStore,
  filter: { connectionId?: string; kinds?: DocumentKind[]; limit: number; before?: string },
): Promise<StoredDocument[]> {
  return org.read(async (db) => {
    const { connectionId, kinds, before } = filter;
    let query = baseQuery(db, org);
    if (connectionId !== undefined) query = query.where('d.connection_id', '=', connectionId);
    if (kinds !== undefined) query = query.where('d.kind', 'in', kinds);
    if (before !== undefined) {
      const last = await db
        .selectFrom('source_documents')
        .select(['written_at', 'id'])
        .where('org_id', '=', org.orgId)
        .where('id', '=', before)
        .executeTakeFirst();
      const at = last?.written_at ?? 0;
      query = query.where((is) =>
        is.or([
          is(is.fn.coalesce('d.written_at', is.lit(0)), '<', at),
          is.and([is(is.fn.coalesce('d.written_at', is.lit(0)), '=', at), is('d.id', '<', before)]),
        ]),
      );
    }
    const rows = await query
      .orderBy((is) => is.fn.coalesce('d.written_at', is.lit(0)), 'desc')
      .orderBy('d.id', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.map(toDocument);
  });
}

export async function readStats(
  org: OrgStore,
): Promise<{ documents: number; chunks: number; clients: number; byKind: Record<string, number> }> {
  return org.read(async (db) => {
    const kinds = await db
      .selectFrom('source_documents')
      .select(['kind', (count) => count.fn.countAll().as('n')])
      .where('org_id', '=', org.orgId)
      .where('deleted_at', 'is', null)
      .groupBy('kind')
      .orderBy('kind')
      .execute();
    const chunks = await db
      .selectFrom('chunks')
      .select((all) => all.fn.countAll().as('n'))
      .where('org_id', '=', org.orgId)
      .executeTakeFirst();
    const clients = await db
      .selectFrom('client_intelligence')
      .select((all) => all.fn.countAll().as('n'))
      .where('org_id', '=', org.orgId)
      .where('merged_into', 'is', null)
      .where('document_count', '>', 0)
      .executeTakeFirst();
    const byKind = Object.fromEntries(kinds.map(({ kind, n }) => [kind, Number(n)]));
    return {
      documents: Object.values(byKind).reduce((sum, n) => sum + n, 0),
      chunks: Number(chunks?.n ?? 0),
      clients: Number(clients?.n ?? 0),
      byKind,
    };
  });
}
