// BM25 over the fields of FTS5, asked on a read-only connection of its own. Frequent terms are left out
// before they cost anything; filters are resolved before the best are chosen.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SearchTask } from './fts5.sql.ts';
import { fieldWeights, type IndexFilters, type IndexHit, type IndexQuery } from './search-index.ts';

const maxTerms = 32;
/** A term in more than this share of the chunks is left out where rarer ones remain: BM25 gives it next to nothing. */
const maxShare = 0.2;
/** Below this many chunks nothing needs leaving out. */
const smallIndex = 2000;
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
  if (filters.connectionId !== undefined) add('d.connection_id = ?', filters.connectionId);
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
}

/** A phrase that stands twice in an FTS5 query is scored twice: that is BM25's weight of a question's term. */
function match(terms: readonly Chosen[]): string {
  return terms
    .flatMap(({ term, asked }) => new Array<string>(asked).fill(`"${term.replaceAll('"', '""')}"`))
    .join(' OR ');
}

/** A term that a long question repeats counts more, up to this often. */
const maxRepeats = 3;

/** The rarest of the terms, without those that nearly every chunk holds. */
function choose(file: OpenFile, terms: readonly string[]): Chosen[] {
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
  const present = counted.filter(({ count }) => count > 0).sort((a, b) => a.count - b.count);
  if (total < smallIndex) return present.slice(0, maxTerms);
  const rare = present.filter(({ count }) => count <= total * maxShare);
  return (rare.length > 0 ? rare : present.slice(0, 1)).slice(0, maxTerms);
}

function ask(file: OpenFile, orgId: string, query: IndexQuery): IndexHit[] {
  const terms = choose(file, query.terms);
  if (terms.length === 0) return [];
  const filters = conditions(orgId, query.filters);
  const within =
    filters.length === 0
      ? ''
      : `and +search.rowid in (select c.seq from source_documents d
           join chunks c on c.org_id = d.org_id and c.document_id = d.id
           where d.org_id = ? and ${filters.map((filter) => filter.sql).join(' and ')})`;
  const text = `select rowid as seq, ${score} as score from search
    where search match ? and rowid <= ? ${within}
    order by score desc, rowid limit ? offset ?`;
  const values: SQLInputValue[] = [match(terms), query.maxSeq];
  if (filters.length > 0) values.push(orgId, ...filters.flatMap((filter) => filter.values));
  values.push(query.limit, query.offset);
  return prepare(file, text)
    .all(...values)
    .map((row) => ({ seq: Number(row['seq']), score: Number(row['score']) }));
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
