// Entries as they stand in the record, with the values that were not erased.
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { Audit, AuditLine, RecordedEntry } from './audit.ts';

const pageSize = 50;
const largestPage = 500;

/** Newest first. `before`: the number of the last entry of the page before. At most 500 at once. */
export const listEntries: Audit['list'] = async (org, filter = {}): Promise<AuditLine[]> => {
  const limit = Math.min(Math.max(Math.trunc(filter.limit ?? pageSize), 1), largestPage);
  return org.read(async (db) => {
    let query = db.selectFrom('audit_log').selectAll().where('org_id', '=', org.orgId);
    if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
    if (filter.before !== undefined) query = query.where('seq', '<', filter.before);
    const rows = await query.orderBy('seq', 'desc').limit(limit).execute();
    const values = await valuesOf(
      org,
      db,
      rows.map((row) => row.seq),
    );
    return rows.map((row) => {
      const { by, channel, facts, commitments } = fromJson<RecordedEntry>(row.entry);
      const kept = values.filter((one) => one.seq === row.seq);
      return {
        seq: row.seq,
        at: row.at,
        kind: row.kind,
        subject: row.subject,
        by,
        channel,
        facts,
        values: Object.fromEntries(kept.map((one) => [one.name, one.value])),
        erased: Object.keys(commitments).filter((name) => !kept.some((one) => one.name === name)),
        hash: row.hash,
      };
    });
  });
};

async function valuesOf(
  org: OrgStore,
  db: Parameters<Parameters<OrgStore['read']>[0]>[0],
  seqs: readonly number[],
): Promise<{ seq: number; name: string; value: string }[]> {
  if (seqs.length === 0) return [];
  return db
    .selectFrom('audit_values')
    .select(['seq', 'name', 'value'])
    .where('org_id', '=', org.orgId)
    .where('seq', 'in', seqs)
    .execute();
}
