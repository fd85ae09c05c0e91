// A smaller file for the same rows (docs/decisions/0046-a-smaller-file.md): texts and terms may stand packed, and in an
// org's own file keys and indices leave out what all of its rows share. Rows stay as they are until they are written anew.
import { type Kysely, sql } from 'kysely';
import type { Migration } from './migration.ts';

export const smallerFiles: Migration = {
  number: 13,
  name: 'smaller-files',

  async org({ dialect, tx }) {
    if (dialect === 'postgres') {
      await sql`alter table source_documents add column text_packed bytea`.execute(tx);
      await sql`alter table chunks add column words bytea`.execute(tx);
      // Packed already: the database need not try.
      await sql`alter table source_documents alter column text_packed set storage external`.execute(tx);
      await sql`alter table chunks alter column words set storage external`.execute(tx);
      return;
    }
    await sql`alter table source_documents add column text_packed blob`.execute(tx);
    await chunks(tx);
    await people(tx);
    await vectors(tx);
    await documentIndexes(tx);
    // A conflict on a key without the org must not be found in place of the org that does not fit.
    for (const table of ['source_documents', 'chunks', 'document_people']) {
      await sql`create trigger ${sql.id(`${table}_of_this_org`)} before insert on ${sql.table(table)}
        when not exists (select 1 from orgs where id = new.org_id)
        begin select raise(abort, 'this file is of another org'); end`.execute(tx);
    }
  },
};

/** Each is read in the order of an index, so that nothing is sorted in memory. */
async function replace(
  tx: Kysely<unknown>,
  table: string,
  { into, from = into, order }: { into: string; from?: string; order: string },
): Promise<void> {
  const [old, made] = [sql.table(table), sql.table(`${table}_made`)];
  await sql`insert into ${made} (${sql.raw(into)}) select ${sql.raw(from)} from ${old} order by ${sql.raw(order)}`.execute(
    tx,
  );
  await sql`drop table ${old}`.execute(tx);
  await sql`alter table ${made} rename to ${old}`.execute(tx);
}

/** A chunk is known by its number; its id is its document's and its place there, its hash half as long in bytes as in hex. */
async function chunks(tx: Kysely<unknown>): Promise<void> {
  await sql`create table chunks_made (
    seq integer primary key,
    org_id text not null,
    document_id text not null,
    ordinal integer not null,
    start_at integer not null,
    end_at integer not null,
    header text not null,
    body text not null,
    hash blob not null,
    words blob,
    content_hash text generated always as (lower(hex(hash))) virtual,
    id text generated always as (document_id || '.' || ordinal) virtual,
    constraint chunks_org_id_fk foreign key (org_id) references orgs (id),
    constraint chunks_org_id_document_id_fk foreign key (org_id, document_id)
      references source_documents (org_id, id) on delete cascade
  ) strict`.execute(tx);
  const columns = 'seq, org_id, document_id, ordinal, start_at, end_at, header, body';
  await replace(tx, 'chunks', {
    into: `${columns}, hash`,
    from: `${columns}, coalesce(unhex(content_hash), cast(content_hash as blob))`,
    order: 'org_id, seq',
  });
  await sql`create unique index chunks_by_document_id_ordinal on chunks (document_id, ordinal)`.execute(tx);
}

async function people(tx: Kysely<unknown>): Promise<void> {
  await sql`create table document_people_made (
    org_id text not null,
    document_id text not null,
    address text not null,
    name text,
    role text not null,
    constraint document_people_key primary key (document_id, address, role),
    constraint document_people_org_id_fk foreign key (org_id) references orgs (id),
    constraint document_people_org_id_document_id_fk foreign key (org_id, document_id)
      references source_documents (org_id, id) on delete cascade
  ) strict, without rowid`.execute(tx);
  const columns = 'org_id, document_id, address, name, role';
  await replace(tx, 'document_people', { into: columns, order: 'org_id, document_id, address, role' });
  // The document's id stands behind it, as in every index of such a table.
  await sql`create index document_people_by_address on document_people (address)`.execute(tx);
}

async function vectors(tx: Kysely<unknown>): Promise<void> {
  await sql`create table chunk_vectors_made (
    org_id text not null,
    model text not null,
    seq integer not null,
    vector blob not null,
    constraint chunk_vectors_key primary key (org_id, seq, model),
    constraint chunk_vectors_org_id_fk foreign key (org_id) references orgs (id)
  ) strict, without rowid`.execute(tx);
  await replace(tx, 'chunk_vectors', { into: 'org_id, model, seq, vector', order: 'org_id, seq, model' });
}

async function documentIndexes(tx: Kysely<unknown>): Promise<void> {
  for (const name of ['connection_id_external_id', 'kind_written_at', 'thread_id_written_at']) {
    await sql`drop index ${sql.id(`source_documents_by_${name}`)}`.execute(tx);
  }
  // No statement asks for a connection's documents by time.
  await sql`drop index source_documents_by_connection_id_written_at`.execute(tx);
  await sql`create unique index source_documents_by_connection_id_external_id
    on source_documents (connection_id, external_id)`.execute(tx);
  await sql`create index source_documents_by_kind_written_at on source_documents (kind, written_at)`.execute(
    tx,
  );
  await sql`create index source_documents_by_thread_id on source_documents (thread_id)`.execute(tx);
  // Every statement names the org, and all rows are of that one: the planner must be told, or it would take an index
  // that begins with org_id for one that finds a few rows. https://sqlite.org/fileformat2.html#the_sqlite_stat1_table
  await sql`analyze sqlite_schema`.execute(tx);
  await sql`insert into sqlite_stat1 (tbl, idx, stat) values
    ('source_documents', 'sqlite_autoindex_source_documents_1', '100000 100000 1'),
    ('source_documents', 'source_documents_by_language', '100000 100000 20000 20000'),
    ('source_documents', 'source_documents_by_readers', '1000 1000 1'),
    ('source_documents', 'source_documents_by_labels', '1000 1000 1'),
    ('source_documents', 'source_documents_by_connection_id_external_id', '100000 20000 1'),
    ('source_documents', 'source_documents_by_kind_written_at', '100000 20000 2'),
    ('source_documents', 'source_documents_by_thread_id', '100000 4')`.execute(tx);
  await sql`analyze sqlite_schema`.execute(tx);
}
