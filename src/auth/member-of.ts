// A member of an org by id, for who acts or is asked by name.
import type { Store } from '../store/store.ts';

/** Undefined for who is no member, or no longer one. */
export function memberOf(
  store: Pick<Store, 'control'>,
  orgId: string,
  memberId: string,
): Promise<{ name: string } | undefined> {
  return store.control.read((db) =>
    db
      .selectFrom('members')
      .select('name')
      .where('org_id', '=', orgId)
      .where('id', '=', memberId)
      .executeTakeFirst(),
  );
}
