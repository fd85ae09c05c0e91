// BM25 over the fields of FTS5, asked on a read-only connection of its own. Frequent terms are left out
// before they cost anything; filters are resolved before the best are chosen.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SearchTask } from './fts5.sql.ts';
import { fieldWeights, type IndexFilters, type IndexHit, type IndexQuery } from './search-index.ts';

const maxTerms = 32;
/** A term in more than half of the chunks says nothing: FTS5's BM25 gives it no weight. */
const maxShare = 0.5;
/**
 * Matches (a term in a chunk) that one question may cost without a narrow filter: the rarest terms first,
 * and at least `surelyAsked` of them. About 1 ms for 2,000.
 */
const matchBudget = 24_000;
const surelyAsked = 3;
/** As many admitted chunks are listed before ranking; more are checked while going down the ranking. */
const narrow = 3000;
const openFiles = 8;
const rememberedTerms = 20_000;

interface OpenFile {
  db: DatabaseSync;
  statements: Map<string, StatementSync>;
  /** Chunks that hold a term, as last looked up. */
  frequency: Map<string, number>;
  /** The index's size when `frequency` was begun. */
  frequencyOf: number;
}

const { header, body, neighbours } = fieldWeights;
/** FTS5's bm25() is negative, better is lower: https://sqlite.org/fts5.html#the_bm25_function */
const score = `-bm25(search, ${header}, ${body}, ${neighbours})`;

function prepare(file: OpenFile, text: string): StatementSync {
  let statement = file.statements.get(text);
  if (statement === undefined) {
    if (file.statements.size > 64) file.statements.clear();
    statement = file.db.prepare(text);
    file.statements.set(text, statement);
  }
  return statement;
}

function marks(count: number): string {
  return new Array(count).fill('?').join(', ');
}

interface Condition {
  sql: string;
  values: SQLInputValue[];
}

function conditions(orgId: string, filters: IndexFilters): Condition[] {
  const found: Condition[] = [];
  const add = (text: string, ...values: SQLInputValue[]) => found.push({ sql: text, values });
  if (filters.threadId !== undefined) add('d.thread_id = ?', filters.threadId);
  if (filters.connectionIds !== undefined)
    add(`d.connection_id in (${marks(filters.connectionIds.length)})`, ...filters.connectionIds);
  if (filters.since !== undefined) add('d.written_at >= ?', filters.since);
  if (filters.until !== undefined) add('d.written_at < ?', filters.until);
  if (filters.kinds !== undefined) add(`d.kind in (${marks(filters.kinds.length)})`, ...filters.kinds);
  if (filters.addresses !== undefined) {
    add(
      `d.id in (select document_id from document_people where org_id = ? and address in (${marks(filters.addresses.length)}))`,
      orgId,
      ...filters.addresses,
    );
  }
  return found;
}

interface Chosen {
  term: string;
  /** How often the question asks for it. */
  asked: number;
  /** Chunks that hold it. */
  count: number;
}

/** A phrase that stands twice in an FTS5 query is scored twice: that is BM25's weight of a question's term. */
function match(terms: readonly Chosen[]): string {
  return terms
    .flatMap(({ term, asked }) => new Array<string>(asked).fill(`"${term.replaceAll('"', '""')}"`))
    .join(' OR ');
}

/** A term that a long question repeats counts more, up to this often. */
const maxRepeats = 3;

/** The terms that the index holds, rarest first, and how many chunks there are. */
function choose(file: OpenFile, terms: readonly string[]): { present: Chosen[]; total: number } {
  const total = Number(prepare(file, 'select max(id) as n from search_docsize').get()?.['n'] ?? 0);
  if (Math.abs(total - file.frequencyOf) > file.frequencyOf * 0.1 || file.frequency.size > rememberedTerms) {
    file.frequency.clear();
    file.frequencyOf = total;
  }
  const lookUp = prepare(file, 'select doc from search_terms where term = ?');
  const asked = new Map<string, number>();
  for (const term of terms) asked.set(term, Math.min(maxRepeats, (asked.get(term) ?? 0) + 1));
  const counted = [...asked].map(([term, times]) => {
    let count = file.frequency.get(term);
    if (count === undefined) {
      count = Number(lookUp.get(term)?.['doc'] ?? 0);
      file.frequency.set(term, count);
    }
    return { term, count, asked: times };
  });
  const present = counted.filter(({ count }) => count > 0).sort((x, y) => x.count - y.count);
  return { present: present.slice(0, maxTerms), total };
}

/** Of the terms, rarest first, those that are worth their cost in a search over everything. */
function affordable({ present, total }: { present: readonly Chosen[]; total: number }): Chosen[] {
  let spent = 0;
  return present.filter(({ count, asked }, i) => {
    spent += count * asked;
    return i < surelyAsked || (count <= total * maxShare && spent <= matchBudget);
  });
}

interface Asked {
  file: OpenFile;
  orgId: string;
  query: IndexQuery;
  match: string;
  filters: Condition[];
}

function toHits(rows: Record<string, unknown>[]): IndexHit[] {
  return rows.map((row) => ({ seq: Number(row['seq']), score: Number(row['score']) }));
}

/** The best `count` of all, whatever they are. */
function best({ file, query, match }: Asked, count: number, offset: number): IndexHit[] {
  const text = `select rowid as seq, ${score} as score from search
    where search match ? and rowid <= ? order by score desc, rowid limit ? offset ?`;
  return toHits(prepare(file, text).all(match, query.maxSeq, count, offset));
}

/** Chunks that the filters admit, up to one more than `narrow`. The order of the join is ours: without it a scan of all chunks is chosen. */
function admitted({ file, orgId, filters }: Asked): number[] {
  const text = `select c.seq from source_documents d
    cross join chunks c on c.org_id = d.org_id and c.document_id = d.id
    where d.org_id = ? and ${filters.map((filter) => filter.sql).join(' and ')} limit ${narrow + 1}`;
  return prepare(file, text)
    .all(orgId, ...filters.flatMap((filter) => filter.values))
    .map((row) => Number(row['seq']));
}

/** Few chunks are admitted: only they are scored. */
function bestAmong({ file, query, match }: Asked, seqs: readonly number[]): IndexHit[] {
  if (seqs.length === 0) return [];
  const text = `select rowid as seq, ${score} as score from search
    where search match ? and rowid between ? and ? and +search.rowid in (select value from json_each(?))
    order by score desc, rowid limit ? offset ?`;
  const first = seqs.reduce((a, b) => Math.min(a, b));
  const last = Math.min(
    query.maxSeq,
    seqs.reduce((a, b) => Math.max(a, b)),
  );
  return toHits(prepare(file, text).all(match, first, last, JSON.stringify(seqs), query.limit, query.offset));
}

/** Many are admitted: down the ranking, until enough of them have been met or it ends. */
function bestAdmitted(asked: Asked): IndexHit[] {
  const { file, orgId, query, filters } = asked;
  const text = `select c.seq from chunks c
    cross join source_documents d on d.org_id = c.org_id and d.id = c.document_id
    where c.org_id = ? and c.seq in (select value from json_each(?))
      and ${filters.map((filter) => filter.sql).join(' and ')}`;
  const wanted = query.offset + query.limit;
  const found: IndexHit[] = [];
  for (let depth = 0, count = Math.max(200, wanted * 4); found.length < wanted; count *= 8) {
    const some = best(asked, count, depth);
    const pass = new Set(
      prepare(file, text)
        .all(orgId, JSON.stringify(some.map((hit) => hit.seq)), ...filters.flatMap((filter) => filter.values))
        .map((row) => Number(row['seq'])),
    );
    for (const hit of some) if (pass.has(hit.seq)) found.push(hit);
    if (some.length < count) break;
    depth += count;
  }
  return found.slice(query.offset, wanted);
}

function ask(file: OpenFile, orgId: string, query: IndexQuery): IndexHit[] {
  // One snapshot, though several statements ask.
  file.db.exec('begin');
  try {
    const terms = choose(file, query.terms);
    if (terms.present.length === 0) return [];
    const filters = conditions(orgId, query.filters);
    const asked: Asked = { file, orgId, query, match: match(affordable(terms)), filters };
    if (filters.length === 0) return best(asked, query.limit, query.offset);
    const seqs = admitted(asked);
    if (seqs.length > narrow) return bestAdmitted(asked);
    // Within a few chunks no term is too dear, and one that is frequent elsewhere may be what tells them apart.
    return bestAmong({ ...asked, match: match(terms.present) }, seqs);
  } finally {
    file.db.exec('rollback');
  }
}

/** A function that answers tasks; it keeps a few files open. */
export function createFts5Reader(): (task: SearchTask) => IndexHit[] {
  const files = new Map<string, OpenFile>();

  function open(path: string): OpenFile {
    const known = files.get(path);
    if (known !== undefined) {
      files.delete(path);
      files.set(path, known);
      return known;
    }
    // Blocking for a moment is what this thread is for.
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    db.exec('pragma mmap_size = 1073741824; pragma cache_size = -65536; pragma temp_store = memory');
    const file: OpenFile = { db, statements: new Map(), frequency: new Map(), frequencyOf: 0 };
    files.set(path, file);
    if (files.size > openFiles) {
      for (const [oldest, opened] of files) {
        opened.db.close();
        files.delete(oldest);
        break;
      }
    }
    return file;
  }

  return (task) => ask(open(task.file), task.orgId, task.query);
}
