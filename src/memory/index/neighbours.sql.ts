// Which documents stand before and after a place in a thread: by their time, then by the order they came.
import { sql, type Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';

export interface Place {
  id: string;
  threadId: string;
  writtenAt: number | null;
}
export interface Adjacent {
  before: string | undefined;
  after: string | undefined;
}

const placesAtOnce = 100;

function side(orgId: string, place: Place, which: 'before' | 'after') {
  const at = place.writtenAt ?? 0;
  const [compare, order] =
    which === 'before' ? ([sql`<`, sql`desc`] as const) : ([sql`>`, sql`asc`] as const);
  return sql`(select id from source_documents
    where org_id = ${orgId} and thread_id = ${place.threadId} and deleted_at is null and id <> ${place.id}
      and (coalesce(written_at, 0), id) ${compare} (${at}, ${place.id})
    order by coalesce(written_at, 0) ${order}, id ${order} limit 1)`;
}

/** The live documents beside each place; the place's own document is never its own neighbour. */
export async function adjacentTo(
  tx: Transaction<OrgTables>,
  orgId: string,
  places: readonly Place[],
): Promise<Adjacent[]> {
  const found: Adjacent[] = [];
  for (let i = 0; i < places.length; i += placesAtOnce) {
    const some = places.slice(i, i + placesAtOnce);
    const rows = await sql<{ at: number; before: string | null; after: string | null }>`${sql.join(
      some.map(
        (place, at) =>
          sql`select ${sql.lit(at)} as at, ${side(orgId, place, 'before')} as before, ${side(orgId, place, 'after')} as after`,
      ),
      sql` union all `,
    )}`.execute(tx);
    const byPlace = new Map(rows.rows.map((row) => [Number(row.at), row]));
    some.forEach((_, at) => {
      const row = byPlace.get(at);
      found.push({ before: row?.before ?? undefined, after: row?.after ?? undefined });
    });
  }
  return found;
}
