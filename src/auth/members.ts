// Who belongs to an org, and by which account of the issuer each comes in. Nobody becomes a member by
// signing in: a person of the org has entered the e-mail address before.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Store } from '../store/store.ts';
import { byEmail, comparable, meant, type Reader } from './member-of.ts';
import type { Person } from './principal.ts';
import { type ChangeRecord, recordChange } from './record-change.ts';

export interface Member {
  id: string;
  email: string | undefined;
  name: string;
  role: 'owner' | 'member';
  /** Issuers at which an account of theirs is linked. */
  issuers: string[];
  createdAt: number;
}

/** An account at an issuer, as that issuer proved it. */
export interface Identity {
  issuer: string;
  subject: string;
  /** Only where the issuer says that the address is verified. */
  verifiedEmail: string | undefined;
}

export interface Members {
  /**
   * Lets a person in who signs in with this address. As owner: gives the address to the owner whom the first
   * start made, while that one has none.
   * @throws DrawbridgeError `invalid_request`, or `conflict` when the address is a member's already
   */
  add(
    orgId: string,
    given: { email: string; name: string | undefined; role: Member['role'] },
  ): Promise<Pick<Member, 'id' | 'email' | 'name' | 'role'>>;
  /** Oldest first. */
  list(orgId: string): Promise<Member[]>;
  /** Ends a member's sessions and access with them, and revokes the API keys that act for them. @throws DrawbridgeError `not_found`; `conflict` for the last owner */
  remove(orgId: string, email: string): Promise<void>;
  /** Forgets which accounts a member signed in with; sessions end. @throws DrawbridgeError `not_found` */
  unlink(orgId: string, email: string): Promise<void>;
  /** The member whom this account is linked to. */
  linked(issuer: string, subject: string): Promise<Person | undefined>;
  /**
   * The member behind an account; at the first time by its verified address, which links it.
   * @throws DrawbridgeError `permission_denied` where there is none
   */
  admit(identity: Identity): Promise<Person>;
}

const emailShape = /^[^\s@<>,;:"]{1,64}@[^\s@<>,;:"]{1,190}$/;

/** `record`: where changes are entered; left out: nowhere. */
export function createMembers(given: { store: Store; clock: Clock; record?: ChangeRecord }): Members {
  const { store, clock, record } = given;

  return {
    async add(orgId, { email, name, role }) {
      const address = comparable(email);
      if (!emailShape.test(address)) {
        throw new DrawbridgeError('invalid_request', 'email: is no e-mail address.', { field: 'email' });
      }
      const called = name?.trim() ?? address;
      if (called === '' || called.length > 100) {
        throw new DrawbridgeError('invalid_request', 'name: give a name of 1 to 100 characters.', {
          field: 'name',
        });
      }
      const now = clock.now();
      const made = await store.control.write(async (tx) => {
        if ((await byEmail(tx, orgId, address)) !== undefined) {
          throw new DrawbridgeError('conflict', 'A member has this address already.', { field: 'email' });
        }
        const nameless =
          role === 'owner'
            ? await tx
                .selectFrom('members')
                .select(['id', 'name'])
                .where('org_id', '=', orgId)
                .where('role', '=', 'owner')
                .where('email', 'is', null)
                .orderBy('created_at')
                .limit(1)
                .executeTakeFirst()
            : undefined;
        if (nameless !== undefined) {
          const kept = name === undefined ? nameless.name : called;
          await tx
            .updateTable('members')
            .set({ email: address, name: kept })
            .where('org_id', '=', orgId)
            .where('id', '=', nameless.id)
            .execute();
          return { id: nameless.id, email: address, name: kept, role };
        }
        const id = newId('mbr', now);
        await tx
          .insertInto('members')
          .values({ org_id: orgId, id, email: address, name: called, role, created_at: now })
          .execute();
        return { id, email: address, name: called, role };
      });
      await recordChange(store, orgId, record, {
        kind: 'member.added',
        subject: made.id,
        facts: { role },
        values: { email: address, member: made.name },
      });
      return made;
    },

    async list(orgId) {
      const [members, identities] = await store.control.read((db) =>
        Promise.all([
          db
            .selectFrom('members')
            .select(['id', 'email', 'name', 'role', 'created_at'])
            .where('org_id', '=', orgId)
            .orderBy('created_at')
            .orderBy('id')
            .execute(),
          db
            .selectFrom('identities')
            .select(['member_id', 'issuer'])
            .where('org_id', '=', orgId)
            .orderBy('issuer')
            .execute(),
        ]),
      );
      return members.map((row) => ({
        id: row.id,
        email: row.email ?? undefined,
        name: row.name,
        role: row.role,
        issuers: identities.filter((one) => one.member_id === row.id).map((one) => one.issuer),
        createdAt: row.created_at,
      }));
    },

    async remove(orgId, email) {
      const now = clock.now();
      const { id, revoked } = await store.control.write(async (tx) => {
        const { id, role } = await meant(tx, orgId, email);
        if (role === 'owner') {
          const other = await tx
            .selectFrom('members')
            .select('id')
            .where('org_id', '=', orgId)
            .where('role', '=', 'owner')
            .where('id', '!=', id)
            .executeTakeFirst();
          if (other === undefined) {
            throw new DrawbridgeError(
              'conflict',
              'The last owner cannot be removed: make another one first.',
            );
          }
        }
        // Sessions, sign-in links and linked accounts go with the row.
        await tx.deleteFrom('members').where('org_id', '=', orgId).where('id', '=', id).execute();
        const revoked = await tx
          .updateTable('api_keys')
          .set({ revoked_at: now })
          .where('org_id', '=', orgId)
          .where('member_id', '=', id)
          .where('revoked_at', 'is', null)
          .returning('id')
          .execute();
        return { id, revoked: revoked.map((key) => key.id) };
      });
      const facts = revoked.length === 0 ? {} : { keys: revoked.join(' ') };
      await recordChange(store, orgId, record, { kind: 'member.removed', subject: id, facts });
    },

    async unlink(orgId, email) {
      const subject = await store.control.write(async (tx) => {
        const { id } = await meant(tx, orgId, email);
        for (const table of ['identities', 'sessions'] as const) {
          await tx.deleteFrom(table).where('org_id', '=', orgId).where('member_id', '=', id).execute();
        }
        return id;
      });
      await recordChange(store, orgId, record, { kind: 'member.unlinked', subject, facts: {} });
    },

    linked: (issuer, subject) => store.control.read((db) => linkedTo(db, { issuer, subject })),

    async admit({ issuer, subject, verifiedEmail }) {
      const known = await store.control.read((db) => linkedTo(db, { issuer, subject }));
      if (known !== undefined) return known;
      if (verifiedEmail === undefined) throw unverified(issuer);
      const now = clock.now();
      return store.control.write(async (tx) => {
        const [member, another] = await tx
          .selectFrom('members')
          .select(['org_id', 'id', 'name'])
          .where('email', '=', comparable(verifiedEmail))
          .limit(2)
          .execute();
        if (member === undefined) throw stranger();
        if (another !== undefined) {
          throw new DrawbridgeError(
            'permission_denied',
            'Your address is a member of several orgs here, and Drawbridge cannot tell which one you mean. Ask whoever runs it to remove it from all but one.',
          );
        }
        await tx
          .insertInto('identities')
          .values({ issuer, subject, org_id: member.org_id, member_id: member.id, created_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const linked = await linkedTo(tx, { issuer, subject });
        // An address that was given to somebody else at the issuer must not bring its former owner's access along.
        if (linked === undefined) throw succeeded();
        return linked;
      });
    },
  };
}

async function linkedTo(
  db: Reader,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<Person | undefined> {
  const row = await db
    .selectFrom('identities')
    .innerJoin('members', (join) =>
      join.onRef('members.org_id', '=', 'identities.org_id').onRef('members.id', '=', 'identities.member_id'),
    )
    .select(['members.org_id', 'members.id', 'members.name'])
    .where('identities.issuer', '=', issuer)
    .where('identities.subject', '=', subject)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { kind: 'person', orgId: row.org_id, memberId: row.id, name: row.name };
}

function stranger(): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    'You signed in, but your address is no member’s here, and signing in makes nobody one. Ask whoever runs this Drawbridge to run: drawbridge members add --email, with the address that you signed in with.',
    { retry: 'ask' },
  );
}

function succeeded(): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    'Another account with your address signed in here before. If both are yours, ask whoever runs this Drawbridge to run: drawbridge members unlink, with your address. Then sign in again.',
    { retry: 'ask' },
  );
}

function unverified(issuer: string): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    `${new URL(issuer).hostname} does not say that your e-mail address is yours, so Drawbridge cannot tell who you are. Have the address verified there, then sign in again.`,
    { retry: 'ask' },
  );
}
