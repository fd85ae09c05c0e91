// How a person comes in: a link that lives a minute and is spent once, and the session that it opens. Only
// hashes are kept; a session that was there before sign-in never survives it.
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { newToken } from '../ids.ts';
import { Secret } from '../secret.ts';
import type { Handle, Store } from '../store/store.ts';
import type { ControlTables } from '../store/tables.ts';
import { digest } from './digest.ts';
import type { Person } from './principal.ts';

export const linkLivesMs = 60_000;
/** A session ends after 12 hours without use, and 7 days after sign-in whatever its use. */
export const sessionIdleMs = 12 * 3_600_000;
export const sessionLongestMs = 7 * 24 * 3_600_000;
/** How much of the idle time may pass before it is written down again. */
const prolongEvery = 5 * 60_000;

type Writer = Parameters<Parameters<Handle<ControlTables>['write']>[0]>[0];

const tokenShape = /^[A-Za-z0-9_-]{43}$/;

export interface Session {
  person: Person;
  /** What the org is called, for the page's head. */
  orgName: string;
  /** Every form that changes something carries it. */
  csrf: string;
  expiresAt: number;
}

/** Said of a link that is spent, too old, or was never one. */
export const deadLink =
  'This sign-in link was used already or is older than a minute. Make a new one with: drawbridge open';

export interface SignIn {
  /** A token for one sign-in as this person; see `signInUrl`. */
  createLink(person: Person): Promise<Secret>;
  /** Whether the link would still open a session. Looking spends nothing. */
  isLive(link: string): Promise<boolean>;
  /**
   * Spends a link and opens a session with a new token; the session of `former`, if any, ends.
   * @throws DrawbridgeError `permission_denied` when the link is unknown, spent or too old.
   */
  spend(link: string, former: string | undefined): Promise<{ token: Secret; session: Session }>;
  /** Opens a session for a person whom an issuer of sign-in has named; the one of `former`, if any, ends. */
  open(person: Person, former: string | undefined): Promise<{ token: Secret; session: Session }>;
  /** The session behind a token, or undefined; a use prolongs it. */
  session(token: string | undefined): Promise<Session | undefined>;
  end(token: string): Promise<void>;
}

/** Address of the page that spends the link; `to` is the path to go to afterwards. */
export function signInUrl(origin: string, link: Secret, to?: string): string {
  const url = new URL('/sign-in', origin);
  url.searchParams.set('token', link.reveal());
  if (to !== undefined) url.searchParams.set('to', to);
  return url.href;
}

export function createSignIn(given: { store: Store; clock: Clock }): SignIn {
  const { store, clock } = given;

  /** Opens a session for whom `find` names. @throws DrawbridgeError `permission_denied` where that is nobody */
  async function openAs(
    former: string | undefined,
    find: (tx: Writer) => Promise<Pick<Person, 'orgId' | 'memberId'> | undefined>,
  ): Promise<{ token: Secret; session: Session }> {
    const now = clock.now();
    const token = new Secret(newToken(32));
    const csrf = newToken(32);
    const opened = await store.control.write(async (tx) => {
      const found = await find(tx);
      if (found === undefined) return undefined;
      const row = await tx
        .selectFrom('members')
        .innerJoin('orgs', 'orgs.id', 'members.org_id')
        .select(['members.org_id', 'members.id', 'members.name', 'orgs.name as org_name'])
        .where('members.org_id', '=', found.orgId)
        .where('members.id', '=', found.memberId)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      if (former !== undefined) {
        await tx.deleteFrom('sessions').where('token_hash', '=', digest(former)).execute();
      }
      await tx.deleteFrom('sessions').where('expires_at', '<=', now).execute();
      await tx
        .insertInto('sessions')
        .values({
          token_hash: digest(token.reveal()),
          org_id: row.org_id,
          member_id: row.id,
          csrf,
          created_at: now,
          expires_at: now + sessionIdleMs,
        })
        .execute();
      return row;
    });
    if (opened === undefined) throw new DrawbridgeError('permission_denied', deadLink);
    return {
      token,
      session: {
        person: { kind: 'person', orgId: opened.org_id, memberId: opened.id, name: opened.name },
        orgName: opened.org_name,
        csrf,
        expiresAt: now + sessionIdleMs,
      },
    };
  }

  return {
    async createLink(person) {
      const token = new Secret(newToken(32));
      const now = clock.now();
      await store.control.write(async (tx) => {
        await tx
          .deleteFrom('sign_in_links')
          .where('expires_at', '<', now - linkLivesMs)
          .execute();
        await tx
          .insertInto('sign_in_links')
          .values({
            token_hash: digest(token.reveal()),
            org_id: person.orgId,
            member_id: person.memberId,
            created_at: now,
            expires_at: now + linkLivesMs,
            spent_at: null,
          })
          .execute();
      });
      return token;
    },

    async isLive(link) {
      if (!tokenShape.test(link)) return false;
      const row = await store.control.read((db) =>
        db
          .selectFrom('sign_in_links')
          .select('token_hash')
          .where('token_hash', '=', digest(link))
          .where('spent_at', 'is', null)
          .where('expires_at', '>', clock.now())
          .executeTakeFirst(),
      );
      return row !== undefined;
    },

    async spend(link, former) {
      const now = clock.now();
      return openAs(former, async (tx) => {
        const hash = tokenShape.test(link) ? digest(link) : '';
        const { numUpdatedRows } = await tx
          .updateTable('sign_in_links')
          .set({ spent_at: now })
          .where('token_hash', '=', hash)
          .where('spent_at', 'is', null)
          .where('expires_at', '>', now)
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) return undefined;
        const row = await tx
          .selectFrom('sign_in_links')
          .select(['org_id', 'member_id'])
          .where('token_hash', '=', hash)
          .executeTakeFirst();
        return row === undefined ? undefined : { orgId: row.org_id, memberId: row.member_id };
      });
    },

    open: (person, former) => openAs(former, async () => person),

    async session(token) {
      if (token === undefined || !tokenShape.test(token)) return undefined;
      const hash = digest(token);
      const now = clock.now();
      const row = await store.control.read((db) =>
        db
          .selectFrom('sessions')
          .innerJoin('members', (join) =>
            join
              .onRef('members.org_id', '=', 'sessions.org_id')
              .onRef('members.id', '=', 'sessions.member_id'),
          )
          .innerJoin('orgs', 'orgs.id', 'sessions.org_id')
          .select([
            'members.org_id',
            'members.id',
            'members.name',
            'orgs.name as org_name',
            'sessions.csrf',
            'sessions.created_at',
            'sessions.expires_at',
          ])
          .where('token_hash', '=', hash)
          .where('expires_at', '>', now)
          .executeTakeFirst(),
      );
      if (row === undefined) return undefined;
      const expiresAt = Math.min(now + sessionIdleMs, row.created_at + sessionLongestMs);
      if (expiresAt - row.expires_at >= prolongEvery) {
        await store.control.write((tx) =>
          tx
            .updateTable('sessions')
            .set({ expires_at: expiresAt })
            .where('token_hash', '=', hash)
            .where('expires_at', '>', now)
            .execute(),
        );
      }
      return {
        person: { kind: 'person', orgId: row.org_id, memberId: row.id, name: row.name },
        orgName: row.org_name,
        csrf: row.csrf,
        expiresAt: Math.max(expiresAt, row.expires_at),
      };
    },

    async end(token) {
      await store.control.write((tx) =>
        tx.deleteFrom('sessions').where('token_hash', '=', digest(token)).execute(),
      );
    },
  };
}
