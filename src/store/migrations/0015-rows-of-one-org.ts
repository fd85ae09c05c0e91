// An org's own file says once whose it is, and not in every row (docs/decisions/0046-a-smaller-file.md): where rows are
// many and short, org_id is what the table's own text says. Vectors of the built-in embedder stand by their chunk's number.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from './migration.ts';

/** As it stands on the vectors that go into a table of their own. */
const builtIn = 'static-en-256@1';

/** Short rows to which no other table refers, and that are found by their key. */
const small = [
  'action_events',
  'audit_values',
  'client_keys',
  'connection_events',
  'data_keys',
  'embedders',
  'health_checks',
  'held_deletions',
  'leases',
  'oauth_tokens',
  'org_settings',
  'passkeys',
  'policy_rules',
  'presence_challenges',
  'property_documents',
  'property_price_history',
  'provider_apps',
  'rate_limits',
  'search_blocks',
  'search_gone',
  'search_state',
  'secrets',
  'sync_cursors',
  'sync_schedules',
] as const;

export const rowsOfOneOrg: Migration = {
  number: 15,
  name: 'rows-of-one-org',

  async org({ orgId, tx }) {
    if (orgId === undefined) {
      // On PostgreSQL the rows of all orgs stand together. No statement asks for a connection's documents by time.
      await sql`drop index source_documents_by_connection_id_written_at`.execute(tx);
      return;
    }
    // No row can name another org: the column is not written at all.
    const own = sql`org_id text not null generated always as (${sql.lit(orgId)}) virtual`;
    // The largest last: it takes the pages that the others left.
    await remake(tx, 'document_people', {
      as: sql`(
        document_id text not null,
        address text not null,
        name text,
        role text not null,
        ${own},
        constraint document_people_key primary key (document_id, address, role),
        constraint document_people_org_id_document_id_fk foreign key (org_id, document_id)
          references source_documents (org_id, id) on delete cascade
      ) strict, without rowid`,
      columns: 'document_id, address, name, role',
    });
    await remake(tx, 'chunks', {
      as: sql`(
        seq integer primary key,
        document_id text not null,
        ordinal integer not null,
        start_at integer not null,
        end_at integer not null,
        header text not null,
        body text not null,
        hash blob not null,
        words blob,
        ${own},
        content_hash text generated always as (lower(hex(hash))) virtual,
        id text generated always as (document_id || '.' || ordinal) virtual,
        constraint chunks_org_id_document_id_fk foreign key (org_id, document_id)
          references source_documents (org_id, id) on delete cascade
      ) strict`,
      columns: 'seq, document_id, ordinal, start_at, end_at, header, body, hash, words',
    });
    await sql`create table built_in_vectors (
      seq integer primary key,
      vector blob not null,
      ${own},
      model text not null generated always as (${sql.lit(builtIn)}) virtual
    ) strict`.execute(tx);
    await sql`insert into built_in_vectors (seq, vector)
      select seq, vector from chunk_vectors where model = ${sql.lit(builtIn)} order by seq`.execute(tx);
    await remake(tx, 'chunk_vectors', {
      as: sql`(
        org_id text not null,
        model text not null,
        seq integer not null,
        vector blob not null,
        constraint chunk_vectors_key primary key (org_id, seq, model),
        constraint chunk_vectors_org_id_fk foreign key (org_id) references orgs (id)
      ) strict, without rowid`,
      columns: 'org_id, model, seq, vector',
      which: sql`where model <> ${sql.lit(builtIn)}`,
    });
    for (const table of small) {
      await remake(tx, table, { as: await byKey(tx, table), columns: '*' });
    }
    await byLanguage(tx);
  },
};

/** The same table, stored in the order of its key without a second copy of it: where it is empty, a page less. */
async function byKey(tx: Kysely<unknown>, table: string): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{
    sql: string;
  }>`select sql from sqlite_schema where type = 'table' and name = ${table}`.execute(tx);
  const text = rows[0]?.sql ?? '';
  return sql.raw(`${text.slice(text.indexOf('('))}, without rowid`);
}

interface Made {
  as: RawBuilder<unknown>;
  /** Those that are copied. */
  columns: string;
  which?: RawBuilder<unknown>;
}

/** Makes a table anew with its indices. Rows are read in the order of the key: nothing is sorted in memory. */
async function remake(
  tx: Kysely<unknown>,
  table: string,
  { as, columns, which = sql`` }: Made,
): Promise<void> {
  const indexes = await sql<{ sql: string }>`select sql from sqlite_schema
    where type = 'index' and tbl_name = ${table} and sql is not null order by name`.execute(tx);
  const old = sql.table(table);
  const any = await sql`select 1 from ${old} ${which} limit 1`.execute(tx);
  if (any.rows.length === 0) {
    // Each renaming reads all of the schema: a new file is spared that.
    await sql`drop table ${old}`.execute(tx);
    await sql`create table ${old} ${as}`.execute(tx);
  } else {
    const made = sql.table(`${table}_made`);
    await sql`create table ${made} ${as}`.execute(tx);
    const into = columns === '*' ? sql`` : sql`(${sql.raw(columns)})`;
    await sql`insert into ${made} ${into} select ${sql.raw(columns)} from ${old} ${which}`.execute(tx);
    await sql`drop table ${old}`.execute(tx);
    await sql`alter table ${made} rename to ${old}`.execute(tx);
  }
  for (const index of indexes.rows) await sql.raw(index.sql).execute(tx);
}

/** For counting alone (memory/languages.ts), which asks for no row. */
async function byLanguage(tx: Kysely<unknown>): Promise<void> {
  await sql`drop index source_documents_by_language`.execute(tx);
  await sql`create index source_documents_by_language on source_documents (language, deleted_at)`.execute(tx);
  await sql`insert into sqlite_stat1 (tbl, idx, stat) values
    ('source_documents', 'source_documents_by_language', '100000 20000 20000')`.execute(tx);
  await sql`analyze sqlite_schema`.execute(tx);
}
