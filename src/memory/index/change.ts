// What a write of memory tells the index: which numbers its new chunks have, and which chunks are gone. A
// number is given once; what is written under it never changes.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import type { IndexChange } from './search-index.ts';

type Tx = Transaction<OrgTables>;

const rowsAtOnce = 200;

/** To be called under the org's ingest lock, before any chunk of the transaction is removed. */
export async function beginChange(tx: Tx, orgId: string): Promise<IndexChange> {
  const known = await tx
    .selectFrom('search_state')
    .select(['change', 'last_seq', 'folded_seq'])
    .where('org_id', '=', orgId)
    .executeTakeFirst();
  const highest = async () =>
    (
      await tx
        .selectFrom('chunks')
        .select((select) => select.fn.max('seq').as('last'))
        .where('org_id', '=', orgId)
        .executeTakeFirst()
    )?.last;
  const before = known?.last_seq ?? Number((await highest()) ?? 0);
  const change = (known?.change ?? 0) + 1;
  const went: number[] = [];
  let last = before;

  return {
    number() {
      last += 1;
      return last;
    },
    gone(seqs) {
      went.push(...seqs);
    },
    async write() {
      const loose = last - (known?.folded_seq ?? 0);
      if (last === before && went.length === 0) return loose;
      for (let i = 0; i < went.length; i += rowsAtOnce) {
        const rows = went.slice(i, i + rowsAtOnce).map((seq) => ({ org_id: orgId, seq, change }));
        await tx.insertInto('search_gone').values(rows).execute();
      }
      await tx
        .insertInto('search_state')
        .values({ org_id: orgId, id: 0, change, last_seq: last, folded_seq: 0, generation: 0, next_id: 1 })
        .onConflict((conflict) => conflict.columns(['org_id', 'id']).doUpdateSet({ change, last_seq: last }))
        .execute();
      return loose;
    },
  };
}
