// A question to passages: whom and what it may look at is settled first, then the index ranks, then each
// chunk becomes an exact passage of its document.
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { prepared } from '../store/prepared.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { seesAll } from '../viewer.ts';
import { clientMeant, resolveClients } from './clients/clients.ts';
import { readableClients } from './clients/readable.ts';
import { deepest, mostGiven, type Place, readCursor, writeCursor } from './cursor.ts';
import { rowsOf, toPassage } from './documents/passages.ts';
import type { Embedding } from './embed/embedding.ts';
import type { IndexFilters, IndexHit, SearchIndex } from './index/search-index.ts';
import { createLanguages } from './languages.ts';
import type { MemoryAnswer, MemoryQuery } from './memory.ts';
import { type Collapsed, collapse } from './question/collapse.ts';
import { readTimeZone } from './question/time-zone.ts';
import { lightRows, type Settled, weigh } from './question/weigh.ts';
import type { Reranking } from './rerank/reranking.ts';

type Db = Kysely<OrgTables>;

const mostPassages = 100;
const weighedTogether = 100;
const anchorHits = 20;

const lastSeq = prepared((db: Db, { orgId }: { orgId: string }) =>
  db
    .selectFrom('chunks')
    .select((select) => select.fn.max('seq').as('last'))
    .where('org_id', '=', orgId),
);

async function newestChunk(db: Db, orgId: string): Promise<number> {
  const [row] = await lastSeq(db, { orgId });
  return Number(row?.last ?? 0);
}

function filtersOf({ viewer }: OrgStore, query: MemoryQuery, addresses: string[] | undefined): IndexFilters {
  const { kinds, since, until, connectionIds, threadId, documentIds } = query;
  return {
    ...(kinds === undefined || kinds.length === 0 ? {} : { kinds }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(connectionIds === undefined ? {} : { connectionIds }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(documentIds === undefined ? {} : { documentIds }),
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

/** The stemmers are large, and nobody needs them before the first question. */
async function loadWords() {
  return {
    ...(await import('./language/question.ts')),
    ...(await import('./snippet.ts')),
    ...(await import('./question/settle.ts')),
  };
}

const loadReranked = () => import('./rerank/reranked.ts');

export function createSearch({
  index,
  clock,
  embedding,
  reranking,
}: {
  index: SearchIndex;
  clock: Clock;
  /** Undefined: the built-in embedder answers everybody. */
  embedding?: Pick<Embedding, 'answering' | 'question'> | undefined;
  /** Undefined: what is ranked stays in its order. */
  reranking?: Pick<Reranking, 'chosen' | 'scores'> | undefined;
}): (org: OrgStore, query: MemoryQuery) => Promise<MemoryAnswer> {
  const languagesOf = createLanguages(clock);
  let loaded: Awaited<ReturnType<typeof loadWords>> | undefined;

  return async (org, query) => {
    check(query);
    loaded ??= await loadWords();
    const { questionPhrases, questionWords, marksIn, snippetOf, settle } = loaded;
    const place: Place | undefined =
      query.cursor === undefined ? undefined : readCursor(org.orgId, query, query.cursor);
    const wanted = query.clients?.filter((client) => client.trim() !== '') ?? [];
    // A page that follows keeps to the order of the first.
    const mayRerank = query.rerank !== false && place?.reranked !== 0;
    const { scope, maxSeq, languages, answering, chosen, timeZone } = await org.read(async (db) => ({
      scope: wanted.length === 0 ? undefined : await resolveClients(db, org.orgId, wanted),
      maxSeq: place?.maxSeq ?? (await newestChunk(db, org.orgId)),
      languages: await languagesOf(db, org),
      answering: await embedding?.answering(org),
      chosen: mayRerank ? await reranking?.chosen(org) : undefined,
      timeZone:
        query.understand === undefined ? '' : (query.understand.timeZone ?? (await readTimeZone(org))),
    }));

    const words = questionWords(query.question, languages);
    const terms = words.flat();
    const phrases = questionPhrases(query.question, languages);
    const vectors =
      answering === undefined ? undefined : await embedding?.question(org, query.question, answering);
    const base = filtersOf(org, query, scope?.addresses);
    const ranked: HitsOf = (filters, part) =>
      index.search(org, { text: query.question, terms, words, phrases, vectors, filters, maxSeq, ...part });
    const second =
      reranking === undefined || chosen === undefined
        ? undefined
        : (await loadReranked()).reranked(org, { reranking, chosen, question: query.question, ranked });
    const hitsOf = second?.hitsOf ?? ranked;
    const settled: Settled =
      query.understand === undefined
        ? { narrowed: {}, wishes: [], said: [] }
        : await settle(org, query, {
            asked: { ...query.understand, timeZone },
            base,
            languages,
            find: (about) =>
              index.search(org, {
                text: about.join(' '),
                terms: about,
                words: about.map((term) => [term]),
                phrases: [],
                vectors: undefined,
                filters: base,
                maxSeq,
                limit: anchorHits,
                offset: 0,
              }),
          });
    const said = [...settled.said];
    const offset = place?.offset ?? 0;
    // Where nothing lifts a hit and none is folded into another, the order is the index's own.
    const asRanked = settled.wishes.length === 0 && query.collapse !== true;
    // What was given before may have moved a little: the page is what was not, from some places before it on.
    const given = new Set(place?.given);
    const from = given.size >= offset ? 0 : offset - mostGiven;
    const limit = offset - from + query.limit + 1;
    const take = async (filters: IndexFilters): Promise<Taken> => {
      const taken: Taken = asRanked
        ? { hits: await hitsOf(filters, { limit, offset: from }) }
        : await takeWeighed(org, query, { filters, limit, offset: from, hitsOf, settled });
      return { ...taken, hits: taken.hits.filter(({ seq }) => !given.has(seq)) };
    };
    // The search goes first: who is meant is found out here while another thread ranks.
    const [first, meant] = await Promise.all([
      take({ ...base, ...settled.narrowed }),
      org.read((db) => clientMeant(db, org.orgId, wanted.length === 1 ? `${wanted[0]}` : query.question)),
    ]);
    let taken = first;
    if (taken.hits.length === 0 && Object.keys(settled.narrowed).length > 0) {
      said.push('nothing is found so narrowly, so the bounds were left aside');
      taken = await take(base);
    }
    const { hits, known } = taken;
    const best = place?.best ?? hits[0]?.score ?? 0;
    const relative = (hit: IndexHit) => (best > 0 ? Math.min(1, hit.score / best) : 1);
    const good = hits.filter((hit) => relative(hit) >= (query.minScore ?? 0));
    const page = good.slice(0, query.limit);
    const { rows, client, candidates } = await org.read(async (db) => ({
      rows: await rowsOf(db, org, page),
      client: (await readableClients(org, db, meant.client === undefined ? [] : [meant.client]))[0],
      candidates: await readableClients(
        org,
        db,
        scope !== undefined && scope.candidates.length > 0 ? scope.candidates : meant.candidates,
      ),
    }));
    const wantedTerms = new Set(terms);
    const snippet = (text: string) =>
      query.snippets === false ? '' : snippetOf(text, wantedTerms, languages);
    const cursorAt = (next: number) => {
      if (next >= deepest) return undefined;
      const now = page.slice(0, next - offset).map(({ seq }) => seq);
      const reranked = place?.reranked ?? second?.reranked() ?? 0;
      return writeCursor(org.orgId, query, {
        offset: next,
        maxSeq,
        best,
        given: [...given, ...now],
        reranked,
      });
    };
    /** The page without what was deleted meanwhile. */
    const there = page.flatMap((hit, at) => {
      const row = rows.get(hit.seq);
      return row === undefined ? [] : [{ hit, row, next: offset + at + 1 }];
    });
    return {
      passages: there.map(({ hit, row }) => {
        const passage = toPassage(row, relative(hit), snippet);
        const one = known?.get(hit.seq);
        return {
          ...passage,
          ...(query.snippets === false ? {} : { marks: marksIn(passage.snippet, wantedTerms, languages) }),
          parts: hit.parts,
          ...(one === undefined
            ? {}
            : { lifts: one.lifts, alike: { inThread: one.inThread, copies: one.copies } }),
        };
      }),
      nextCursor: good.length > query.limit ? cursorAt(offset + query.limit) : undefined,
      cursorAfter: (count) => cursorAt(there[count - 1]?.next ?? offset),
      unreranked: second?.unreranked(),
      wordsOnly: vectors !== undefined && 'unavailable' in vectors ? vectors.unavailable : undefined,
      client,
      candidates,
      understood: said,
      terms,
    };
  };
}

export type HitsOf = (filters: IndexFilters, part: { limit: number; offset: number }) => Promise<IndexHit[]>;

interface Taken {
  hits: IndexHit[];
  /** What is known of a hit beside its score. */
  known?: ReadonlyMap<number, Pick<Collapsed, 'lifts' | 'inThread' | 'copies'>>;
}

/**
 * The first hits are weighed and collapsed together, so that pages of them do not overlap; what stands behind them
 * comes as it is ranked.
 */
async function takeWeighed(
  org: OrgStore,
  { collapse: collapses }: MemoryQuery,
  {
    filters,
    limit: wanted,
    offset,
    hitsOf,
    settled,
  }: { filters: IndexFilters; limit: number; offset: number; hitsOf: HitsOf; settled: Settled },
): Promise<Taken> {
  const first = await hitsOf(filters, { limit: weighedTogether, offset: 0 });
  const rows = await org.read((db) => lightRows(db, org, first));
  const weighed = weigh(first, rows, settled.wishes);
  const groups: Collapsed[] =
    collapses === true ? collapse(weighed) : weighed.map((hit) => ({ ...hit, inThread: 0, copies: 0 }));
  const hits: IndexHit[] = groups.slice(offset, offset + wanted);
  if (hits.length < wanted && first.length === weighedTogether) {
    const behind = Math.max(0, offset - groups.length);
    const rest = await hitsOf(filters, {
      limit: wanted - hits.length,
      offset: weighedTogether + behind,
    });
    const lowest = groups.at(-1)?.score ?? 0;
    hits.push(...rest.map((hit) => ({ ...hit, score: Math.min(hit.score, lowest) })));
  }
  return { hits, known: new Map(groups.map((one) => [one.seq, one])) };
}
