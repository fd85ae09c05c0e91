// The handle that a principal is given of an org: what it shows is what that member, or whoever an agent acts for,
// may see. What people hid from agents is hidden from agents alone.
import type { Kysely } from 'kysely';
import type { Agent, Person } from '../../auth/principal.ts';
import { prepared } from '../../store/prepared.ts';
import type { OrgStore, SeenOrg, Store } from '../../store/store.ts';
import type { ControlTables } from '../../store/tables.ts';
import { nothingHidden, type Viewer } from '../../viewer.ts';
import { readSensitivity } from './sensitivity.ts';

/**
 * A member reads what names them. An agent that acts for no member in particular (an API key that names none) reads
 * what the whole org may. Where the org is one person, there is nobody to hide from: all of it, but for who acted for
 * somebody else, who is gone.
 */
export async function seenBy(
  store: Pick<Store, 'control'>,
  org: OrgStore,
  principal: Person | Agent,
): Promise<SeenOrg> {
  const memberId = principal.memberId;
  const members = await store.control.read((db) => membersOf(db, { orgId: org.orgId }));
  const member = members.find(({ id }) => id === memberId);
  const isGone = memberId !== undefined && member === undefined;
  const viewer: Viewer = {
    readerNames: members.length <= 1 && !isGone ? undefined : namesOf(member?.email ?? undefined),
    hidden: principal.kind === 'person' ? nothingHidden : await readSensitivity(org),
  };
  return Object.freeze({ ...org, viewer });
}

const membersOf = prepared((db: Kysely<ControlTables>, { orgId }: { orgId: string }) =>
  db.selectFrom('members').select(['id', 'email']).where('org_id', '=', orgId),
);

function namesOf(email: string | undefined): string[] {
  if (email === undefined) return [];
  const address = email.trim().toLowerCase();
  return [address, `domain:${address.slice(address.lastIndexOf('@') + 1)}`];
}
