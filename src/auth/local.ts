// The local org and its owner: there from the first start on, and one only, however many processes start.
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Handle, Store } from '../store/store.ts';
import type { ControlTables } from '../store/tables.ts';
import type { Person } from './principal.ts';

export interface LocalOrg {
  orgId: string;
  owner: Person;
}

type Reader = Parameters<Parameters<Handle<ControlTables>['read']>[0]>[0];

/**
 * The first org and its owner; makes the org "Home" and its owner where there is none. Of two first starts
 * at once, the one that enters its owner first wins, and the other takes back the org it made. An org that
 * a start left without an owner (it was killed in between) is taken up.
 */
export async function ensureLocalOrg(store: Store, clock: Clock): Promise<LocalOrg> {
  const known = await store.control.read(firstOwner);
  if (known !== undefined) return known;
  const left = await store.control.read(firstOrg);
  const made = left === undefined ? await store.createOrg('Home') : undefined;
  const local = await store.control.write(async (tx) => {
    const owned = await firstOwner(tx);
    const orgId = owned?.orgId ?? (await firstOrg(tx));
    if (orgId === undefined) throw new Error('the org that was just made is not there');
    if (owned !== undefined) return owned;
    const now = clock.now();
    const owner: Person = { kind: 'person', orgId, memberId: newId('mbr', now), name: 'Owner' };
    await tx
      .insertInto('members')
      .values({
        org_id: orgId,
        id: owner.memberId,
        email: null,
        name: owner.name,
        role: 'owner',
        created_at: now,
      })
      .execute();
    return { orgId, owner };
  });
  if (made !== undefined && made !== local.orgId) await store.removeOrg(made);
  return local;
}

async function firstOrg(db: Reader): Promise<string | undefined> {
  const row = await db
    .selectFrom('orgs')
    .select('id')
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

async function firstOwner(db: Reader): Promise<LocalOrg | undefined> {
  const row = await db
    .selectFrom('members')
    .select(['org_id', 'id', 'name'])
    .where('role', '=', 'owner')
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    orgId: row.org_id,
    owner: { kind: 'person', orgId: row.org_id, memberId: row.id, name: row.name },
  };
}
