// A question to passages: whom and what it may look at is settled first, then the index ranks, then each
// chunk becomes an exact passage of its document.
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { seesAll } from '../viewer.ts';
import { clientMeant, resolveClients } from './clients.ts';
import { deepest, type Place, readCursor, writeCursor } from './cursor.ts';
import type { Embedding } from './embed/embedding.ts';
import type { IndexFilters, IndexHit, SearchIndex } from './index/search-index.ts';
import { createLanguages } from './languages.ts';
import type { MemoryAnswer, MemoryQuery } from './memory.ts';
import { rowsOf, toPassage } from './passages.ts';

type Db = Kysely<OrgTables>;

const mostPassages = 100;

async function newestChunk(db: Db, orgId: string): Promise<number> {
  const row = await db
    .selectFrom('chunks')
    .select((select) => select.fn.max('seq').as('last'))
    .where('org_id', '=', orgId)
    .executeTakeFirst();
  return Number(row?.last ?? 0);
}

function filtersOf({ viewer }: OrgStore, query: MemoryQuery, addresses: string[] | undefined): IndexFilters {
  const { kinds, since, until, connectionIds, threadId } = query;
  return {
    ...(kinds === undefined || kinds.length === 0 ? {} : { kinds }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(connectionIds === undefined ? {} : { connectionIds }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(viewer === undefined || seesAll(viewer) ? {} : { viewer }),
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
  embedding,
}: {
  index: SearchIndex;
  clock: Clock;
  /** Undefined: the built-in embedder answers everybody. */
  embedding?: Pick<Embedding, 'question'> | undefined;
}): (org: OrgStore, query: MemoryQuery) => Promise<MemoryAnswer> {
  const languagesOf = createLanguages(clock);

  return async (org, query) => {
    check(query);
    // The stemmers are large, and nobody needs them before the first question.
    const { questionPhrases, questionWords } = await import('./language/question.ts');
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

    const words = questionWords(query.question, languages);
    const terms = words.flat();
    const offset = place?.offset ?? 0;
    const vectors = await embedding?.question(org, query.question);
    const hits = await index.search(org, {
      text: query.question,
      terms,
      words,
      phrases: questionPhrases(query.question, languages),
      vectors,
      filters: filtersOf(org, query, scope?.addresses),
      limit: query.limit + 1,
      offset,
      maxSeq,
    });
    const best = place?.best ?? hits[0]?.score ?? 0;
    const relative = (hit: IndexHit) => (best > 0 ? Math.min(1, hit.score / best) : 1);
    const good = hits.filter((hit) => relative(hit) >= (query.minScore ?? 0));
    const page = good.slice(0, query.limit);
    const rows = await org.read((db) => rowsOf(db, org, page));
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
      wordsOnly: vectors !== undefined && 'unavailable' in vectors ? vectors.unavailable : undefined,
      client: meant.client,
      candidates: scope !== undefined && scope.candidates.length > 0 ? scope.candidates : meant.candidates,
    };
  };
}
