// Postings of our own in place of FTS5 and tsvector: the same tables, bytes and scores on both databases. What is
// stored already is loose at first, and is folded from its chunks by the way: no provider is asked.
import { sql } from 'kysely';
import { addMatching } from './0006-match.ts';
import type { Migration } from './migration.ts';

export const search: Migration = {
  number: 6,
  name: 'search',

  async org(kit) {
    await kit.orgTable('search_state', {
      columns: {
        id: 'integer',
        change: 'integer',
        last_seq: 'integer',
        folded_seq: 'integer',
        generation: 'integer',
        next_id: 'integer',
      },
      key: ['id'],
    });
    await kit.orgTable('search_gone', {
      columns: { seq: 'integer', change: 'integer' },
      key: ['seq'],
      indexes: [{ columns: ['change'] }],
    });
    await kit.orgTable('search_blocks', {
      columns: {
        id: 'integer',
        first_seq: 'integer',
        last_seq: 'integer',
        slots: 'integer',
      },
      key: ['id'],
    });
    await kit.orgTable('search_columns', {
      columns: { block: 'integer', bytes: 'blob' },
      key: ['block'],
    });
    await kit.orgTable('search_runs', {
      columns: {
        id: 'integer',
        first_seq: 'integer',
        last_seq: 'integer',
        slots: 'integer',
        level: 'integer',
        directory: 'blob',
        names: 'blob',
      },
      key: ['id'],
    });
    await kit.orgTable('search_pages', {
      columns: { run: 'integer', page: 'integer', bytes: 'blob' },
      key: ['run', 'page'],
    });
    await kit.orgTable('search_signatures', {
      columns: { model: 'text', block: 'integer', bits: 'blob' },
      key: ['model', 'block'],
    });
    await kit.orgTable('chunk_vectors', {
      columns: { model: 'text', seq: 'integer', vector: 'blob' },
      key: ['seq', 'model'],
    });
    if (kit.dialect === 'sqlite') {
      await sql`drop table search_terms`.execute(kit.tx);
      await sql`drop table search`.execute(kit.tx);
    } else {
      await sql`drop table search_index`.execute(kit.tx);
      // Packed already: the database need not try.
      for (const [table, column] of [
        ['search_pages', 'bytes'],
        ['search_columns', 'bytes'],
        ['search_signatures', 'bits'],
        ['chunk_vectors', 'vector'],
      ] as const) {
        await sql`alter table ${sql.table(table)} alter column ${sql.ref(column)} set storage external`.execute(
          kit.tx,
        );
      }
    }
    // How a payload is packed; what is stored already is not.
    await sql`alter table source_documents add column raw_coding integer not null default 0`.execute(kit.tx);
    // Neighbours are found in the index's own arrays.
    await sql`drop index source_documents_by_thread_order`.execute(kit.tx);
    // A neighbour's words are found by where it stands.
    await sql`alter table chunks drop column neighbours`.execute(kit.tx);
    await addMatching(kit);
  },
};
