// The search index (FTS5 in an org's file, tsvector on PostgreSQL), and the keys by which clients are found.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Characters that stand inside a term (addresses, amounts, identifiers); between terms there are spaces. */
const inTerms = '!#$%&()*+,-./:;<=>?@[]^_`{|}~';

export const searchIndex: Migration = {
  number: 2,
  name: 'search-index',

  async org(kit) {
    // What a client is found by: each address, and each word of the name without case and diacritics.
    await kit.orgTable('client_keys', {
      columns: { key: 'text', client_id: 'text' },
      key: ['key', 'client_id'],
      references: [{ columns: ['client_id'], table: 'client_intelligence', to: ['id'], onDelete: 'cascade' }],
      indexes: [{ columns: ['client_id'] }],
    });
    await sql`create index source_documents_by_thread_order
      on source_documents (org_id, thread_id, coalesce(written_at, 0), id)`.execute(kit.tx);
    await sql`create index source_documents_by_language on source_documents (org_id, language, deleted_at)`.execute(
      kit.tx,
    );
    if (kit.dialect === 'sqlite') {
      // The terms come segmented and stemmed: nothing is left to the tokenizer but to split at spaces. The
      // text is not kept a second time (contentless); a row is removed by its number.
      await sql`create virtual table search using fts5(
        header, body, neighbours,
        content = '', contentless_delete = 1,
        tokenize = ${sql.raw(`"ascii tokenchars '${inTerms}'"`)}
      )`.execute(kit.tx);
      await sql`create virtual table search_terms using fts5vocab(search, row)`.execute(kit.tx);
      return;
    }
    await kit.orgTable('search_index', { columns: { seq: 'integer' }, key: ['seq'] });
    await sql`alter table search_index add column terms tsvector not null`.execute(kit.tx);
    await sql`create index search_index_by_terms on search_index using gin (terms)`.execute(kit.tx);
  },
};
