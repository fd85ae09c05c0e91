// Takes personal values out of the record: the commitments stay, so the chain holds as before.
import type { Transaction } from 'kysely';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { RecordedEntry } from './audit.ts';

const page = 500;

/**
 * Every value of the entries about `subject`, and its name in the entries of what it did. A page is a
 * transaction, so it can be killed anywhere and run again.
 * @param recorded called in the last transaction with how many values went
 */
export async function eraseValues(
  org: OrgStore,
  subject: string,
  recorded: (tx: Transaction<OrgTables>, values: number) => Promise<void>,
): Promise<number> {
  let erased = 0;
  for (let after = 0; ; ) {
    const from = after;
    const done = await org.write((tx) => erasePage(tx, org.orgId, subject, from));
    erased += done.erased;
    if (done.last === undefined) break;
    after = done.last;
  }
  await org.write((tx) => recorded(tx, erased));
  return erased;
}

async function erasePage(
  tx: Transaction<OrgTables>,
  orgId: string,
  subject: string,
  after: number,
): Promise<{ erased: number; last: number | undefined }> {
  const rows = await tx
    .selectFrom('audit_log')
    .select(['seq', 'subject', 'entry'])
    .where('org_id', '=', orgId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(page)
    .execute();
  const about = rows.filter((row) => row.subject === subject).map((row) => row.seq);
  const by = rows.filter((row) => fromJson<RecordedEntry>(row.entry).by.id === subject).map((row) => row.seq);
  let erased = 0;
  if (about.length > 0) {
    const { numDeletedRows } = await tx
      .deleteFrom('audit_values')
      .where('org_id', '=', orgId)
      .where('seq', 'in', about)
      .executeTakeFirst();
    erased += Number(numDeletedRows);
  }
  if (by.length > 0) {
    const { numDeletedRows } = await tx
      .deleteFrom('audit_values')
      .where('org_id', '=', orgId)
      .where('seq', 'in', by)
      .where('name', '=', 'name')
      .executeTakeFirst();
    erased += Number(numDeletedRows);
  }
  return { erased, last: rows.at(-1)?.seq };
}
