// A deleted record leaves a row without content, so that a late delivery of it is known for what it is. After its
// time the row goes, too.
import type { OrgStore } from '../../store/store.ts';
import { idsAtOnce } from './known-rows.ts';

/** In short transactions, until none is left or the signal ends it. */
export async function purgeTombstones(org: OrgStore, keptMs: number, signal?: AbortSignal): Promise<number> {
  let purged = 0;
  while (signal?.aborted !== true) {
    const count = await org.write(async (tx) => {
      const now = await org.now();
      const rows = await tx
        .selectFrom('source_documents')
        .select('id')
        .where('org_id', '=', org.orgId)
        .where('deleted_at', '<', now - keptMs)
        .limit(idsAtOnce)
        .execute();
      if (rows.length === 0) return 0;
      await tx
        .deleteFrom('source_documents')
        .where('org_id', '=', org.orgId)
        .where(
          'id',
          'in',
          rows.map(({ id }) => id),
        )
        .execute();
      return rows.length;
    });
    purged += count;
    if (count === 0) break;
  }
  return purged;
}
