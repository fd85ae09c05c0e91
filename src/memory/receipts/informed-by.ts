// What an output was made from, each source beside what it says now.
import type { Kysely } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { nameOf } from './maker.ts';
import type { InformedBy, Receipts } from './receipts.ts';
import { sourcesNow } from './sources-now.ts';

/** @throws DrawbridgeError `not_found` */
export async function informedBy(
  db: Kysely<OrgTables>,
  org: OrgStore,
  outputId: string,
): Promise<InformedBy> {
  const { orgId } = org;
  const output = await db
    .selectFrom('outputs')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', outputId)
    .executeTakeFirst();
  if (output === undefined) {
    throw new DrawbridgeError(
      'not_found',
      'No output of that name has sources on record. They are recorded with record-attribution.',
      { field: 'output' },
    );
  }
  const rows = await db
    .selectFrom('source_attribution')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('output_id', '=', outputId)
    .orderBy('used_at')
    .orderBy('id')
    .execute();
  const now = await sourcesNow(db, org, rows);
  return {
    outputId,
    title: output.title,
    at: output.at,
    by: nameOf(output.by),
    sources: rows.map((row) => {
      const source = now(row);
      return {
        attributionId: row.id,
        section: row.section,
        role: row.agent_role,
        documentId: source.documentId,
        factId: row.fact_id ?? undefined,
        title: source.title,
        kind: source.kind,
        source: source.source,
        writtenAt: source.writtenAt,
        scores: fromJson<Record<string, number>>(row.scores),
        contentHash: row.content_hash,
        usedAt: row.used_at,
        verifiedAt: row.verified_at,
        by: nameOf(row.by),
        state: source.state,
      };
    }),
  };
}

/** Newest first. */
export async function outputs(org: OrgStore, limit: number): ReturnType<Receipts['outputs']> {
  const rows = await org.read((db) =>
    db
      .selectFrom('outputs as o')
      .select(['o.id', 'o.title', 'o.at', 'o.by'])
      .select((e) =>
        e
          .selectFrom('source_attribution as s')
          .select((count) => count.fn.countAll<number | string>().as('n'))
          .whereRef('s.org_id', '=', 'o.org_id')
          .whereRef('s.output_id', '=', 'o.id')
          .as('sources'),
      )
      .where('o.org_id', '=', org.orgId)
      .orderBy('o.at', 'desc')
      .orderBy('o.id')
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => ({
    id: row.id,
    title: row.title,
    at: row.at,
    by: nameOf(row.by),
    sources: Number(row.sources ?? 0),
  }));
}
