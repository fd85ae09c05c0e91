// Records that a feed says are gone, kept aside: nothing of them is forgotten before the whole of a sync is known,
// or a person has agreed. A record that is met again was not gone.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import type { IngestBatch } from '../memory.ts';
import { attachedTo } from './attached.ts';
import { idsAtOnce, type Known, parts } from './known-rows.ts';

type Tx = Transaction<OrgTables>;

/** Keeps aside what is missing; what a person chose to keep stays so. */
export async function gather(
  tx: Tx,
  given: { orgId: string; connectionId: string; missing: readonly Known[]; now: number },
): Promise<void> {
  const { orgId, connectionId, now } = given;
  // An attachment goes with its mail.
  const ids = given.missing.map((one) => one.externalId).filter((id) => attachedTo(id) === undefined);
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .insertInto('held_deletions')
      .values(
        some.map((id) => ({
          org_id: orgId,
          connection_id: connectionId,
          external_id: id,
          state: 'gathered' as const,
          at: now,
        })),
      )
      .onConflict((known) => known.columns(['org_id', 'connection_id', 'external_id']).doNothing())
      .execute();
  }
}

/** What comes with the batch, or is on its complete list, is there after all. */
export async function comeBack(
  tx: Tx,
  { orgId, connectionId, batch }: { orgId: string; connectionId: string; batch: IngestBatch },
): Promise<void> {
  const any = await tx
    .selectFrom('held_deletions')
    .select('external_id')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .limit(1)
    .executeTakeFirst();
  if (any === undefined) return;
  const there = [...batch.records.map((record) => record.externalId), ...(batch.complete?.ids ?? [])];
  for (const some of parts(there, idsAtOnce)) {
    await tx
      .deleteFrom('held_deletions')
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('external_id', 'in', some)
      .execute();
  }
}

/** At most so many that are to be forgotten now; the caller forgets them in this transaction. */
export async function takeAgreed(
  tx: Tx,
  orgId: string,
  connectionId: string,
  most: number,
): Promise<string[]> {
  const rows = await tx
    .selectFrom('held_deletions')
    .select('external_id')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .where('state', '=', 'agreed')
    .orderBy('external_id')
    .limit(most)
    .execute();
  const ids = rows.map((row) => row.external_id);
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .deleteFrom('held_deletions')
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('external_id', 'in', some)
      .execute();
  }
  return ids;
}
