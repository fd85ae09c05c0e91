// The index on PostgreSQL: the same terms as a tsvector, ranked by ts_rank_cd. Simple on purpose: ranking
// like FTS5's comes with the postings table (docs/decisions/0018).
import { type RawBuilder, sql } from 'kysely';
import { fieldWeights, type IndexFilters, type IndexRow, type SearchIndex } from './search-index.ts';

/** PostgreSQL's limits: positions up to 16383, 256 of them a lexeme, lexemes under 2 kB. */
const maxPosition = 16_383;
const maxPositions = 255;
const maxTerms = 32;

function quoted(term: string): string {
  return `'${term.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Text form of a tsvector: header A, body B, neighbours C, each term at its place. */
function vectorOf(row: IndexRow): string {
  const places = new Map<string, string[]>();
  let position = 0;
  for (const [field, weight] of [
    [row.header, 'A'],
    [row.body, 'B'],
    [row.neighbours, 'C'],
  ] as const) {
    for (const term of field.split(/\s+/u)) {
      if (term === '') continue;
      position = Math.min(position + 1, maxPosition);
      const known = places.get(term);
      if (known === undefined) places.set(term, [`${position}${weight}`]);
      else if (known.length < maxPositions) known.push(`${position}${weight}`);
    }
  }
  return [...places].map(([term, at]) => `${quoted(term)}:${at.join(',')}`).join(' ');
}

function conditions(orgId: string, filters: IndexFilters): RawBuilder<unknown>[] {
  const found: RawBuilder<unknown>[] = [];
  if (filters.threadId !== undefined) found.push(sql`d.thread_id = ${filters.threadId}`);
  if (filters.connectionIds !== undefined)
    found.push(sql`d.connection_id in (${sql.join(filters.connectionIds)})`);
  if (filters.since !== undefined) found.push(sql`d.written_at >= ${filters.since}`);
  if (filters.until !== undefined) found.push(sql`d.written_at < ${filters.until}`);
  if (filters.kinds !== undefined) found.push(sql`d.kind in (${sql.join(filters.kinds)})`);
  if (filters.addresses !== undefined) {
    found.push(sql`d.id in (select document_id from document_people
      where org_id = ${orgId} and address in (${sql.join(filters.addresses)}))`);
  }
  return found;
}

export const postgresIndex: SearchIndex = {
  async add(tx, orgId, rows) {
    for (let i = 0; i < rows.length; i += 100) {
      const values = rows
        .slice(i, i + 100)
        .map((row) => sql`(${orgId}, ${row.seq}, ${vectorOf(row)}::tsvector)`);
      await sql`insert into search_index (org_id, seq, terms) values ${sql.join(values)}`.execute(tx);
    }
  },
  async remove(tx, orgId, seqs) {
    for (let i = 0; i < seqs.length; i += 500) {
      const some = sql.join(seqs.slice(i, i + 500));
      await sql`delete from search_index where org_id = ${orgId} and seq in (${some})`.execute(tx);
    }
  },
  async search(org, query) {
    if (query.terms.length === 0) return [];
    const wanted = [...new Set(query.terms)].slice(0, maxTerms).map(quoted).join(' | ');
    // ts_rank_cd takes weights of at most 1, in the order D, C, B, A; 1 divides by the logarithm of the length.
    const top = Math.max(...Object.values(fieldWeights));
    const share = (field: keyof typeof fieldWeights) => sql.lit(fieldWeights[field] / top);
    const weights = sql`array[0, ${share('neighbours')}, ${share('body')}, ${share('header')}]::real[]`;
    const filters = conditions(org.orgId, query.filters).map((filter) => sql` and ${filter}`);
    return org.read(async (db) => {
      const { rows } = await sql<{ seq: number | string; score: number }>`
        select s.seq, ts_rank_cd(${weights}, s.terms, ${wanted}::tsquery, 1) as score
        from search_index s
        join chunks c on c.org_id = s.org_id and c.seq = s.seq
        join source_documents d on d.org_id = c.org_id and d.id = c.document_id
        where s.org_id = ${org.orgId} and s.terms @@ ${wanted}::tsquery and s.seq <= ${query.maxSeq}
          ${sql.join(filters, sql``)}
        order by score desc, s.seq limit ${query.limit} offset ${query.offset}`.execute(db);
      return rows.map((row) => ({ seq: Number(row.seq), score: row.score }));
    });
  },
  async close() {
    // Its connections are the store's.
  },
};
