// Limits on calls that all processes share, as rows: those of a connection in its org's database, those of a
// registered app in the control database. The numbers in them are the door's.
import type { SharedLimits } from '../egress/gate.ts';
import type { OrgStore, Store } from './store.ts';

export function createSharedLimits(store: Store): SharedLimits {
  const orgs = new Map<string, Promise<OrgStore>>();

  function orgOf(orgId: string): Promise<OrgStore> {
    const known = orgs.get(orgId);
    if (known !== undefined) return known;
    const found = store.forOrg(orgId);
    orgs.set(orgId, found);
    // An org that is not there now may be later.
    found.catch(() => orgs.delete(orgId));
    return found;
  }

  return {
    async change({ orgId, name }, change) {
      if (orgId === undefined) {
        const { control } = store;
        return control.write(async (tx) => {
          const now = await control.now();
          // Makes the row where there is none, and holds it: nobody else changes it until this ends.
          const row = await tx
            .insertInto('app_limits')
            .values({ name, state: '', updated_at: now })
            .onConflict((known) => known.column('name').doUpdateSet({ updated_at: now }))
            .returning('state')
            .executeTakeFirstOrThrow();
          const { text, result } = change(row.state === '' ? undefined : row.state, now);
          await tx.updateTable('app_limits').set({ state: text }).where('name', '=', name).execute();
          return result;
        });
      }
      const org = await orgOf(orgId);
      return org.write(async (tx) => {
        const now = await org.now();
        const row = await tx
          .insertInto('rate_limits')
          .values({ org_id: orgId, name, state: '', updated_at: now })
          .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ updated_at: now }))
          .returning('state')
          .executeTakeFirstOrThrow();
        const { text, result } = change(row.state === '' ? undefined : row.state, now);
        await tx
          .updateTable('rate_limits')
          .set({ state: text })
          .where('org_id', '=', orgId)
          .where('name', '=', name)
          .execute();
        return result;
      });
    },
  };
}
