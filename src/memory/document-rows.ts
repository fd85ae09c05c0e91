// Rows of documents and their people: written, replaced, turned into tombstones.
import type { Insertable, Transaction } from 'kysely';
import type { Person } from '../providers/record.ts';
import { toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';
import type { SearchIndex } from './index/search-index.ts';
import type { Incoming } from './ingest.ts';
import { idsAtOnce, type Known, parts } from './known-rows.ts';
import type { Source } from './memory.ts';
import type { ParsedChunk } from './parse.ts';

type Tx = Transaction<OrgTables>;

export interface WrittenChunk extends ParsedChunk {
  seq: number;
}
/** A document as it stands now, for what is derived from it in the same transaction. */
export interface Written {
  id: string;
  threadId: string | null;
  writtenAt: number | null;
  kind: string;
  title: string;
  people: Person[];
  facts: Record<string, unknown>;
  chunks: WrittenChunk[];
}

/** The record was looked at again and is as it was. */
export async function verify(tx: Tx, orgId: string, ids: readonly string[], now: number): Promise<void> {
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .updateTable('source_documents')
      .set({ verified_at: now, fetched_at: now })
      .where('org_id', '=', orgId)
      .where('id', 'in', some)
      .execute();
  }
}

/** Takes documents out of the index; returns the chunk numbers that are free again, a document each. */
export async function removeChunks(
  tx: Tx,
  orgId: string,
  index: SearchIndex,
  ids: readonly string[],
): Promise<Map<string, number[]>> {
  const freed = new Map<string, number[]>();
  for (const some of parts(ids, idsAtOnce)) {
    const rows = await tx
      .selectFrom('chunks')
      .select(['document_id', 'seq'])
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .orderBy('document_id')
      .orderBy('ordinal')
      .execute();
    for (const row of rows)
      freed.set(row.document_id, [...(freed.get(row.document_id) ?? []), Number(row.seq)]);
    if (rows.length === 0) continue;
    await index.remove(
      tx,
      orgId,
      rows.map((row) => Number(row.seq)),
    );
    await tx.deleteFrom('chunks').where('org_id', '=', orgId).where('document_id', 'in', some).execute();
  }
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .deleteFrom('document_people')
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .execute();
  }
  return freed;
}

/** What is deleted at its source is forgotten here: the row stays as a tombstone, its content does not. */
export async function tombstone(tx: Tx, orgId: string, ids: readonly string[], now: number): Promise<void> {
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .updateTable('source_documents')
      .set({
        deleted_at: now,
        verified_at: now,
        title: '',
        text: '',
        raw: new Uint8Array(),
        people: '[]',
        facts: '{}',
        url: null,
      })
      .where('org_id', '=', orgId)
      .where('id', 'in', some)
      .execute();
  }
}

function contentOf({ parsed, raw }: Incoming, now: number) {
  return {
    kind: parsed.kind,
    title: parsed.title,
    text: parsed.text,
    raw,
    media_type: parsed.mediaType,
    people: toJson(parsed.people),
    thread_id: parsed.threadId,
    url: parsed.url,
    language: parsed.language,
    written_at: parsed.writtenAt,
    fetched_at: now,
    verified_at: now,
    content_hash: parsed.contentHash,
    facts: toJson(parsed.facts),
  };
}

function writtenOf(id: string, { parsed }: Incoming, seqs: readonly number[]): Written {
  const { threadId, writtenAt, kind, title, people, facts } = parsed;
  const chunks = parsed.chunks.map((chunk, i) => ({ ...chunk, seq: seqs[i] ?? 0 }));
  return { id, threadId, writtenAt, kind, title, people, facts, chunks };
}

/** Hands out numbers for new chunks. To be asked for before any chunk of the transaction is removed. */
export async function chunkNumbers(tx: Tx, orgId: string): Promise<() => number> {
  const row = await tx
    .selectFrom('chunks')
    .select((select) => select.fn.max('seq').as('last'))
    .where('org_id', '=', orgId)
    .executeTakeFirst();
  let last = Number(row?.last ?? 0);
  return () => {
    last += 1;
    return last;
  };
}

async function insertPeople(
  tx: Tx,
  orgId: string,
  documents: readonly { id: string; incoming: Incoming }[],
): Promise<void> {
  const people = documents.flatMap(({ id, incoming }) => {
    const rows = new Map<string, Insertable<OrgTables['document_people']>>();
    for (const { address, name, role } of incoming.parsed.people) {
      if (address === undefined) continue;
      rows.set(`${role} ${address}`, { org_id: orgId, document_id: id, address, name: name ?? null, role });
    }
    return [...rows.values()];
  });
  for (const some of parts(people, idsAtOnce)) await tx.insertInto('document_people').values(some).execute();
}

/** Writes new content over documents that are there; they keep their chunks' numbers as far as those go. */
export async function updateDocuments(
  tx: Tx,
  replaced: readonly { before: Known; incoming: Incoming }[],
  {
    orgId,
    now,
    freed,
    number,
  }: { orgId: string; now: number; freed: Map<string, number[]>; number: () => number },
): Promise<Written[]> {
  const documents = replaced.map(({ before, incoming }) => {
    const old = freed.get(before.id) ?? [];
    return { id: before.id, incoming, seqs: incoming.parsed.chunks.map((_, i) => old[i] ?? number()) };
  });
  for (const { id, incoming } of documents) {
    await tx
      .updateTable('source_documents')
      .set({ ...contentOf(incoming, now), deleted_at: null })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
  }
  await insertPeople(tx, orgId, documents);
  return documents.map(({ id, incoming, seqs }) => writtenOf(id, incoming, seqs));
}

export async function insertDocuments(
  tx: Tx,
  added: readonly Incoming[],
  {
    orgId,
    source,
    now,
    number,
    documentId,
  }: { orgId: string; source: Source; now: number; number: () => number; documentId: () => string },
): Promise<Written[]> {
  const documents = added.map((incoming) => ({
    id: documentId(),
    incoming,
    seqs: incoming.parsed.chunks.map(number),
  }));
  for (const some of parts(documents, 25)) {
    await tx
      .insertInto('source_documents')
      .values(
        some.map(({ id, incoming }) => ({
          org_id: orgId,
          id,
          connection_id: source.connectionId,
          provider: source.provider,
          external_id: incoming.parsed.externalId,
          trust: 'untrusted' as const,
          readers: null,
          deleted_at: null,
          ...contentOf(incoming, now),
        })),
      )
      .execute();
  }
  await insertPeople(tx, orgId, documents);
  return documents.map(({ id, incoming, seqs }) => writtenOf(id, incoming, seqs));
}
