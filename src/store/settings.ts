// What an org has set, by name.
import type { Kysely, Transaction } from 'kysely';
import { toJson } from './codec.ts';
import { prepared } from './prepared.ts';
import type { OrgStore } from './store.ts';
import type { OrgTables } from './tables.ts';

const settingRow = prepared((db: Kysely<OrgTables>, { orgId, name }: { orgId: string; name: string }) =>
  db.selectFrom('org_settings').select('value').where('org_id', '=', orgId).where('name', '=', name),
);

/** The setting as it is stored; undefined where it was never set. */
export async function settingText(org: OrgStore, name: string): Promise<string | undefined> {
  const [row] = await org.read((db) => settingRow(db, { orgId: org.orgId, name }));
  return row?.value;
}

/** The setting's JSON value; undefined where it was never set, or is no JSON. */
export async function readSetting(org: OrgStore, name: string): Promise<unknown> {
  const value = await settingText(org, name);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** `value` undefined: it is as if it was never set. */
export async function writeSetting(
  tx: Transaction<OrgTables>,
  orgId: string,
  { name, value: given, at }: { name: string; value: unknown; at: number },
): Promise<void> {
  if (given === undefined) {
    await tx.deleteFrom('org_settings').where('org_id', '=', orgId).where('name', '=', name).execute();
    return;
  }
  const value = toJson(given);
  await tx
    .insertInto('org_settings')
    .values({ org_id: orgId, name, value, updated_at: at })
    .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
    .execute();
}
