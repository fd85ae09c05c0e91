// A member of an org by id or by address, for who acts, is acted for, or is asked by name.
import { DrawbridgeError } from '../errors.ts';
import type { Handle, Store } from '../store/store.ts';
import type { ControlTables } from '../store/tables.ts';

export type Reader = Parameters<Parameters<Handle<ControlTables>['read']>[0]>[0];

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

/**
 * An address for comparing. Only ASCII letters are folded: Unicode folds letters of other alphabets onto
 * them (the Kelvin sign onto k), and a stranger could own an address that so becomes a member's.
 */
export function comparable(email: string): string {
  return email.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function byEmail(db: Reader, orgId: string, email: string) {
  return db
    .selectFrom('members')
    .select(['id', 'email', 'name', 'role'])
    .where('org_id', '=', orgId)
    .where('email', '=', comparable(email))
    .executeTakeFirst();
}

/** Whose address this is. @throws DrawbridgeError `not_found` */
export async function meant(
  db: Reader,
  orgId: string,
  email: string,
): Promise<NonNullable<Awaited<ReturnType<typeof byEmail>>>> {
  const found = await byEmail(db, orgId, email);
  if (found === undefined) {
    throw new DrawbridgeError('not_found', 'No member has this address. See them: drawbridge members list');
  }
  return found;
}
