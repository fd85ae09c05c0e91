// Where PostgreSQL has pgvector: the chunks' vectors a second time, in an HNSW index, and two functions by which
// others ask for what is near. Without the extension nothing of this is made, and nothing else needs it.
import { sql } from 'kysely';
import type { Kit } from './kit.ts';
import { appRole } from './row-security.ts';

/** The built-in embedder's vectors, by the name under which they are stored. */
const model = 'static-en-256@1';
const dimensions = 256;

const path = sql.raw('drawbridge, extensions, public, pg_temp');

/** Makes the extension where this user may; says whether it is there. */
async function hasPgvector({ tx }: Kit): Promise<boolean> {
  await sql`do $$ begin
    if to_regtype('halfvec') is null and exists (select 1 from pg_available_extensions where name = 'vector') then
      if to_regnamespace('extensions') is null then
        create extension if not exists vector with schema public;
      else
        create extension if not exists vector with schema extensions;
      end if;
    end if;
    exception when insufficient_privilege or feature_not_supported then null;
  end $$`.execute(tx);
  const { rows } = await sql<{
    found: number;
  }>`select 1 as found where to_regtype('halfvec') is not null`.execute(tx);
  return rows.length > 0;
}

export async function addMatching(kit: Kit): Promise<void> {
  if (kit.dialect !== 'postgres' || !(await hasPgvector(kit))) return;
  const { tx } = kit;
  await kit.orgTable('search_halfvecs', {
    columns: { seq: 'integer', model: 'text', part: 'integer' },
    key: ['seq', 'model', 'part'],
    references: [
      { columns: ['seq', 'model'], table: 'chunk_vectors', to: ['seq', 'model'], onDelete: 'cascade' },
    ],
  });
  await sql`alter table search_halfvecs add column embedding halfvec(${sql.lit(dimensions)}) not null`.execute(
    tx,
  );
  await sql`create index search_halfvecs_near on search_halfvecs using hnsw (embedding halfvec_cosine_ops)`.execute(
    tx,
  );
  // A vector's length says nothing to a cosine: its bytes serve as they are.
  await sql`create function keep_halfvecs() returns trigger language plpgsql set search_path = ${path} as $$
    begin
      insert into search_halfvecs (org_id, seq, model, part, embedding)
      select new.org_id, new.seq, new.model, part, (
        select array_agg((case when value > 127 then value - 256 else value end)::real order by place)::halfvec
        from (
          select place, get_byte(new.vector, part * ${sql.lit(dimensions)} + place) as value
          from generate_series(0, ${sql.lit(dimensions - 1)}) as place
        ) as one
      )
      from generate_series(0, length(new.vector) / ${sql.lit(dimensions)} - 1) as part;
      return null;
    end $$`.execute(tx);
  await sql`create trigger chunk_vectors_kept after insert on chunk_vectors
    for each row when (new.model = ${sql.lit(model)}) execute function keep_halfvecs()`.execute(tx);
  await matchDocuments(kit);
  await matchClients(kit);
  for (const name of [
    'match_source_documents(vector, integer, text, text, double precision)',
    'match_client_intelligence(vector, integer, text, double precision)',
  ]) {
    await sql`revoke all on function ${sql.raw(name)} from public`.execute(tx);
    await sql`grant execute on function ${sql.raw(name)} to ${sql.id(appRole)}`.execute(tx);
  }
}

/**
 * The nearest chunks, best first, each once. The index is walked on until enough have passed the filter; where it ends
 * early, all are looked at.
 */
async function matchDocuments({ tx }: Kit): Promise<void> {
  const near = (distance: string) =>
    sql.raw(`
    for found in
      select d.id, d.title, d.text, c.id as chunk_id, c.seq, c.start_at, c.end_at,
        1 - (v.embedding <=> wanted) as near
      from search_halfvecs v
      join chunks c on c.org_id = v.org_id and c.seq = v.seq
      join source_documents d on d.org_id = c.org_id and d.id = c.document_id
      where v.org_id = filter_org_id and d.deleted_at is null
        and (filter_source_id is null or d.connection_id = filter_source_id)
      order by ${distance}
    loop
      exit when given >= match_count;
      enough := found.near < min_similarity;
      exit when enough;
      continue when found.seq = any(seen);
      seen := seen || found.seq;
      given := given + 1;
      document_id := found.id;
      chunk_id := found.chunk_id;
      title := found.title;
      content := found.text;
      start_at := found.start_at;
      end_at := found.end_at;
      similarity := found.near;
      return next;
    end loop;`);
  await sql`create function match_source_documents(
      query_embedding vector, match_count integer, filter_org_id text,
      filter_source_id text default null, min_similarity double precision default 0
    ) returns table (
      document_id text, chunk_id text, title text, content text, start_at bigint, end_at bigint,
      similarity double precision
    ) language plpgsql stable security invoker set search_path = ${path}
      set hnsw.iterative_scan = 'strict_order' set hnsw.max_scan_tuples = 2147483647 as $$
    #variable_conflict use_column
    declare
      wanted halfvec(${sql.lit(dimensions)}) := query_embedding::halfvec(${sql.lit(dimensions)});
      found record;
      seen bigint[] := '{}';
      given integer := 0;
      enough boolean := false;
    begin
      ${near('v.embedding <=> wanted, v.seq')}
      if given < match_count and not enough then
        ${near('(v.embedding <=> wanted) + 0, v.seq')}
      end if;
    end $$`.execute(tx);
}

/** Clients by the nearest of what concerns them. */
async function matchClients({ tx }: Kit): Promise<void> {
  await sql`create function match_client_intelligence(
      query_embedding vector, match_count integer, filter_org_id text, min_similarity double precision default 0
    ) returns table (client_id text, name text, similarity double precision)
    language sql stable security invoker set search_path = ${path} as $$
      select cl.id, cl.name, max(1 - (v.embedding <=> query_embedding::halfvec(${sql.lit(dimensions)}))) as similarity
      from search_halfvecs v
      join chunks c on c.org_id = v.org_id and c.seq = v.seq
      join document_people p on p.org_id = c.org_id and p.document_id = c.document_id
      join client_keys k on k.org_id = p.org_id and k.key = p.address
      join client_intelligence cl on cl.org_id = k.org_id and cl.id = k.client_id
      where v.org_id = filter_org_id
      group by cl.id, cl.name
      having max(1 - (v.embedding <=> query_embedding::halfvec(${sql.lit(dimensions)}))) >= min_similarity
      order by 3 desc, 1
      limit match_count
    $$`.execute(tx);
}
