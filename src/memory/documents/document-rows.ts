// Rows of documents and their people: written, replaced, turned into tombstones.
import type { Insertable, Transaction } from 'kysely';
import type { Person } from '../../providers/record.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Claims } from '../facts/claim.ts';
import type { Incoming } from '../ingest.ts';
import type { Source } from '../memory.ts';
import type { ParsedChunk } from '../parse.ts';
import type { Mention } from '../properties/mentions.ts';
import { shortHash } from './content-hash.ts';
import { idsAtOnce, type Known, parts } from './known-rows.ts';

type Tx = Transaction<OrgTables>;
type Org = Pick<OrgStore, 'orgId' | 'dialect'>;

export interface WrittenChunk extends ParsedChunk {
  seq: number;
}
/** A document as it stands now, for what is derived from it in the same transaction. */
export interface Written {
  id: string;
  externalId: string;
  threadId: string | null;
  writtenAt: number | null;
  kind: string;
  title: string;
  people: Person[];
  facts: Record<string, unknown>;
  chunks: WrittenChunk[];
  claims: Claims;
  mentions: Mention[];
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

/** Takes the people of documents away, before others are written or none are. */
export async function removePeople(tx: Tx, orgId: string, ids: readonly string[]): Promise<void> {
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .deleteFrom('document_people')
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .execute();
  }
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
        raw_coding: 0,
        text_packed: null,
        people: '[]',
        facts: '{}',
        url: null,
      })
      .where('org_id', '=', orgId)
      .where('id', 'in', some)
      .execute();
  }
}

function contentOf({ parsed, raw }: Incoming, dialect: OrgStore['dialect']) {
  // On PostgreSQL others read the text (match_source_documents) and the facts, too.
  const textPacked = dialect === 'sqlite' ? (parsed.textPacked ?? null) : null;
  return {
    kind: parsed.kind,
    title: parsed.title,
    text: textPacked === null ? parsed.text : '',
    text_packed: textPacked,
    raw: parsed.packed?.bytes ?? raw,
    raw_coding: parsed.packed?.coding ?? 0,
    media_type: parsed.mediaType,
    people: toJson(parsed.people),
    thread_id: parsed.threadId,
    url: parsed.url,
    language: parsed.language,
    written_at: parsed.writtenAt,
    content_hash: dialect === 'sqlite' ? shortHash(parsed.contentHash) : parsed.contentHash,
    facts: dialect === 'sqlite' && parsed.packed?.withFacts === true ? '' : toJson(parsed.facts),
    readers: parsed.readers === null ? null : toJson(parsed.readers),
    labels: parsed.labels === null ? null : toJson(parsed.labels),
  };
}

function writtenOf(id: string, { parsed }: Incoming, number: () => number): Written {
  const { externalId, threadId, writtenAt, kind, title, people, facts, claims, mentions } = parsed;
  const chunks = parsed.chunks.map((chunk) => ({ ...chunk, seq: number() }));
  return { id, externalId, threadId, writtenAt, kind, title, people, facts, chunks, claims, mentions };
}

async function insertPeople(
  tx: Tx,
  { orgId, dialect }: Org,
  documents: readonly { id: string; incoming: Incoming }[],
): Promise<void> {
  const own = dialect === 'postgres' ? { org_id: orgId } : {};
  const people = documents.flatMap(({ id, incoming }) => {
    const rows = new Map<string, Insertable<OrgTables['document_people']>>();
    for (const { address, name, role } of incoming.parsed.people) {
      if (address === undefined) continue;
      rows.set(`${role} ${address}`, { ...own, document_id: id, address, name: name ?? null, role });
    }
    return [...rows.values()];
  });
  for (const some of parts(people, idsAtOnce)) await tx.insertInto('document_people').values(some).execute();
}

/** Writes new content over documents that are there; their chunks are new ones. `now` undefined: their age stays. */
export async function updateDocuments(
  tx: Tx,
  replaced: readonly { before: Known; incoming: Incoming }[],
  { org, now, number }: { org: Org; now: number | undefined; number: () => number },
): Promise<Written[]> {
  const { orgId, dialect } = org;
  const documents = replaced.map(({ before, incoming }) => ({ id: before.id, incoming }));
  for (const { id, incoming } of documents) {
    await tx
      .updateTable('source_documents')
      .set({
        ...contentOf(incoming, dialect),
        ...(now === undefined ? {} : { fetched_at: now, verified_at: now }),
        deleted_at: null,
      })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
  }
  await insertPeople(tx, org, documents);
  return documents.map(({ id, incoming }) => writtenOf(id, incoming, number));
}

export async function insertDocuments(
  tx: Tx,
  added: readonly Incoming[],
  {
    org,
    source,
    now,
    number,
    documentId,
  }: { org: Org; source: Source; now: number; number: () => number; documentId: () => string },
): Promise<Written[]> {
  const { orgId, dialect } = org;
  const documents = added.map((incoming) => ({ id: documentId(), incoming }));
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
          // What people of the org wrote of themselves is theirs; all else was written by others.
          trust: source.provider === 'brain' ? ('trusted' as const) : ('untrusted' as const),
          deleted_at: null,
          fetched_at: now,
          verified_at: now,
          ...contentOf(incoming, dialect),
        })),
      )
      .execute();
  }
  await insertPeople(tx, org, documents);
  return documents.map(({ id, incoming }) => writtenOf(id, incoming, number));
}
