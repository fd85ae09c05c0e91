// Takes personal values out of the record: the commitments stay, so the chain holds as before.
import type { Transaction } from 'kysely';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { RecordedEntry } from './audit.ts';
import { lowerAscii, mentions } from './mentions.ts';

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

/** Every value of the entries about `subject`, in the caller's transaction. @returns how many went */
export async function eraseAbout(
  tx: Transaction<OrgTables>,
  orgId: string,
  subject: string,
): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('audit_values')
    .where('org_id', '=', orgId)
    .where('seq', 'in', (e) =>
      e
        .selectFrom('audit_log')
        .select('seq')
        .where('audit_log.org_id', '=', orgId)
        .where('audit_log.subject', '=', subject),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/**
 * Every value of any entry that names the address, but of entries about one of `kept`. A page is a transaction.
 * @returns how many went
 */
export async function eraseNaming(
  org: OrgStore,
  address: string,
  kept: ReadonlySet<string>,
): Promise<number> {
  const isNamed = mentions(address);
  const place = org.dialect === 'postgres' ? 'strpos' : 'instr';
  let erased = 0;
  for (let after = 0; ; ) {
    const from = after;
    const done = await org.write(async (tx) => {
      const rows = await tx
        .selectFrom('audit_values')
        .innerJoin('audit_log', (join) =>
          join
            .onRef('audit_log.org_id', '=', 'audit_values.org_id')
            .onRef('audit_log.seq', '=', 'audit_values.seq'),
        )
        .select(['audit_values.seq', 'audit_values.name', 'audit_values.value', 'audit_log.subject'])
        .where('audit_values.org_id', '=', org.orgId)
        .where('audit_values.seq', '>', from)
        .where((e) =>
          e(
            e.fn<number>(place, [e.fn<string>('lower', ['audit_values.value']), e.val(lowerAscii(address))]),
            '>',
            0,
          ),
        )
        .orderBy('audit_values.seq')
        .limit(page)
        .execute();
      // The last entry of a full page may have more values on the next one.
      const last = rows.length < page ? undefined : rows.at(-1)?.seq;
      const whole = rows.filter(({ seq }) => seq !== last);
      let gone = 0;
      for (const { seq, name, value, subject } of whole) {
        if (kept.has(subject) || !isNamed(value)) continue;
        const { numDeletedRows } = await tx
          .deleteFrom('audit_values')
          .where('org_id', '=', org.orgId)
          .where('seq', '=', seq)
          .where('name', '=', name)
          .executeTakeFirst();
        gone += Number(numDeletedRows);
      }
      return { gone, next: last === undefined ? undefined : last - 1 };
    });
    erased += done.gone;
    if (done.next === undefined) return erased;
    after = done.next;
  }
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
