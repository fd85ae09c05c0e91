// Only an org that nobody belongs to is removed.
import type { Transaction } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import type { ControlTables } from './tables.ts';

/** @throws DrawbridgeError `conflict` when the org has members */
export async function removeEmptyOrg(tx: Transaction<ControlTables>, orgId: string): Promise<void> {
  const member = await tx
    .selectFrom('members')
    .select('id')
    .where('org_id', '=', orgId)
    .limit(1)
    .executeTakeFirst();
  if (member !== undefined) {
    throw new DrawbridgeError('conflict', 'The org has members, so it is not removed.');
  }
  await tx.deleteFrom('orgs').where('id', '=', orgId).execute();
}
