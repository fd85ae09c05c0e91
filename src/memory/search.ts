// A question to passages: whom and what it may look at is settled first, then the index ranks, then each
// chunk becomes an exact passage of its document.
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { DocumentKind, Person } from '../providers/record.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { clientMeant, resolveClients } from './clients.ts';
import { deepest, type Place, readCursor, writeCursor } from './cursor.ts';
import type { IndexFilters, IndexHit, SearchIndex } from './index/search-index.ts';
import { createLanguages } from './languages.ts';
import type { MemoryAnswer, MemoryQuery, Passage } from './memory.ts';

type Db = Kysely<OrgTables>;

const mostPassages = 100;

interface Row {
  chunk_id: string;
  seq: number;
  start_at: number;
  end_at: number;
  content_hash: string;
  document_id: string;
  external_id: string;
  kind: string;
  title: string;
  text: string;
  people: string;
  url: string | null;
  connection_id: string;
  provider: string;
  label: string | null;
  written_at: number | null;
  fetched_at: number;
  verified_at: number;
}

async function rowsOf(db: Db, orgId: string, hits: readonly IndexHit[]): Promise<Map<number, Row>> {
  if (hits.length === 0) return new Map();
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('source_documents as d', (join) =>
      join.onRef('d.org_id', '=', 'c.org_id').onRef('d.id', '=', 'c.document_id'),
    )
    .leftJoin('connected_sources as s', (join) =>
      join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
    )
    .select([
      'c.id as chunk_id',
      'c.seq',
      'c.start_at',
      'c.end_at',
      'c.content_hash',
      'd.id as document_id',
      'd.external_id',
      'd.kind',
      'd.title',
      'd.text',
      'd.people',
      'd.url',
      'd.connection_id',
      'd.provider',
      's.label',
      'd.written_at',
      'd.fetched_at',
      'd.verified_at',
    ])
    .where('c.org_id', '=', orgId)
    .where(
      'c.seq',
      'in',
      hits.map((hit) => hit.seq),
    )
    // The index was asked on an earlier snapshot: what was deleted since is not answered.
    .where('d.deleted_at', 'is', null)
    .execute();
  return new Map(rows.map((row) => [Number(row.seq), row]));
}

function toPassage(row: Row, score: number, snippet: (text: string) => string): Passage {
  const text = row.text.slice(row.start_at, row.end_at);
  return {
    documentId: row.document_id,
    chunkId: row.chunk_id,
    kind: row.kind as DocumentKind,
    title: row.title,
    text,
    start: row.start_at,
    end: row.end_at,
    snippet: snippet(text),
    contentHash: row.content_hash,
    people: fromJson<Person[]>(row.people),
    url: row.url ?? undefined,
    connectionId: row.connection_id,
    brainId: row.provider === 'brain' ? row.external_id : undefined,
    source: row.label ?? row.provider,
    writtenAt: row.written_at ?? undefined,
    fetchedAt: row.fetched_at,
    verifiedAt: row.verified_at,
    score,
  };
}

async function newestChunk(db: Db, orgId: string): Promise<number> {
  const row = await db
    .selectFrom('chunks')
    .select((select) => select.fn.max('seq').as('last'))
    .where('org_id', '=', orgId)
    .executeTakeFirst();
  return Number(row?.last ?? 0);
}

function filtersOf(query: MemoryQuery, addresses: string[] | undefined): IndexFilters {
  const { kinds, since, until, connectionIds, threadId } = query;
  return {
    ...(kinds === undefined || kinds.length === 0 ? {} : { kinds }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(connectionIds === undefined ? {} : { connectionIds }),
    ...(threadId === undefined ? {} : { threadId }),
  };
}

function check(query: MemoryQuery): void {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > mostPassages) {
    throw new DrawbridgeError('invalid_request', `limit: must be a whole number from 1 to ${mostPassages}.`, {
      field: 'limit',
    });
  }
}

export function createSearch({
  index,
  clock,
}: {
  index: SearchIndex;
  clock: Clock;
}): (org: OrgStore, query: MemoryQuery) => Promise<MemoryAnswer> {
  const languagesOf = createLanguages(clock);

  return async (org, query) => {
    check(query);
    // The stemmers are large, and nobody needs them before the first question.
    const { questionPhrases, questionTerms } = await import('./language/question.ts');
    const { snippetOf } = await import('./snippet.ts');
    const place: Place | undefined =
      query.cursor === undefined ? undefined : readCursor(org.orgId, query, query.cursor);
    const wanted = query.clients?.filter((client) => client.trim() !== '') ?? [];
    const { scope, meant, maxSeq, languages } = await org.read(async (db) => ({
      scope: wanted.length === 0 ? undefined : await resolveClients(db, org.orgId, wanted),
      meant: await clientMeant(db, org.orgId, wanted.length === 1 ? `${wanted[0]}` : query.question),
      maxSeq: place?.maxSeq ?? (await newestChunk(db, org.orgId)),
      languages: await languagesOf(db, org.orgId),
    }));

    const terms = questionTerms(query.question, languages);
    const offset = place?.offset ?? 0;
    const hits = await index.search(org, {
      text: query.question,
      terms,
      phrases: questionPhrases(query.question, languages),
      filters: filtersOf(query, scope?.addresses),
      limit: query.limit + 1,
      offset,
      maxSeq,
    });
    const best = place?.best ?? hits[0]?.score ?? 0;
    const relative = (hit: IndexHit) => (best > 0 ? Math.min(1, hit.score / best) : 1);
    const good = hits.filter((hit) => relative(hit) >= (query.minScore ?? 0));
    const page = good.slice(0, query.limit);
    const rows = await org.read((db) => rowsOf(db, org.orgId, page));
    const wantedTerms = new Set(terms);
    const snippet = (text: string) => snippetOf(text, wantedTerms, languages);
    const next = offset + query.limit;
    const more = good.length > query.limit && next < deepest;
    return {
      passages: page.flatMap((hit) => {
        const row = rows.get(hit.seq);
        return row === undefined ? [] : [toPassage(row, relative(hit), snippet)];
      }),
      nextCursor: more ? writeCursor(org.orgId, query, { offset: next, maxSeq, best }) : undefined,
      client: meant.client,
      candidates: scope !== undefined && scope.candidates.length > 0 ? scope.candidates : meant.candidates,
    };
  };
}
