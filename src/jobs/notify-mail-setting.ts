// Whether a member is told by mail that decisions wait, and when the last such mail was begun. A person says so,
// it is recorded, and it names that person's own address.
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Audit } from '../audit/audit.ts';
import type { Person } from '../auth/principal.ts';
import { makerOf } from '../auth/record-change.ts';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore, Store } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';

const setting = 'notice_mail';
const lastMail = 'notice_mail_last';
/** One mail in so many milliseconds, whatever is proposed, and in however many processes. */
export const quietMs = 15 * 60_000;

const stored = z.object({ connection: z.string(), member: z.string(), to: z.string(), since: z.number() });
export type MailNotice = z.output<typeof stored>;

type Db = Kysely<OrgTables>;

async function settingOf(db: Db, orgId: string, name: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.value;
}

async function setValue(db: Db, orgId: string, name: string, value: string, at: number): Promise<void> {
  await db
    .insertInto('org_settings')
    .values({ org_id: orgId, name, value, updated_at: at })
    .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
    .execute();
}

/** A setting that cannot be read sends nothing. */
export async function readMailNotice(org: OrgStore): Promise<MailNotice | undefined> {
  const text = await org.read((db) => settingOf(db, org.orgId, setting));
  if (text === undefined) return undefined;
  try {
    return stored.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Addresses that are this member's own: the one that is entered for them, else the mailbox's. Lower case. */
export async function ownAddress(
  store: Pick<Store, 'control'>,
  orgId: string,
  memberId: string,
  connection: Pick<Connection, 'account'>,
): Promise<string | undefined> {
  const member = await store.control.read((db) =>
    db
      .selectFrom('members')
      .select('email')
      .where('org_id', '=', orgId)
      .where('id', '=', memberId)
      .executeTakeFirst(),
  );
  if (member === undefined) return undefined;
  const address = (member.email ?? connection.account).toLowerCase();
  return /^[^\s@"<>,;]+@[^\s@"<>,;]+$/.test(address) ? address : undefined;
}

interface Parts {
  store: Pick<Store, 'control'>;
  audit: Pick<Audit, 'append'>;
}

/**
 * From now on this person is told by mail, through this mailbox, at their own address.
 * @throws DrawbridgeError `permission_denied` for who is no person; `invalid_request` where no address is theirs
 */
export async function allowMailNotice(
  { store, audit }: Parts,
  org: OrgStore,
  person: Person,
  given: { connection: Connection; channel: string },
): Promise<MailNotice> {
  mustBePerson(org, person);
  const { connection, channel } = given;
  if (!connection.capabilities.includes('mail.send')) {
    throw new DrawbridgeError('invalid_request', `${connection.label} sends no mail.`, { field: 'mail' });
  }
  const to = await ownAddress(store, org.orgId, person.memberId, connection);
  if (to === undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      `No e-mail address of yours is known for ${connection.label}.`,
    );
  }
  const since = await org.now();
  const notice: MailNotice = { connection: connection.id, member: person.memberId, to, since };
  await org.write(async (tx) => {
    await setValue(tx, org.orgId, setting, toJson(notice), since);
    await audit.append(tx, org.orgId, since, {
      kind: 'notice.mail-allowed',
      subject: setting,
      by: makerOf(person),
      channel,
      facts: { connection: connection.id, member: person.memberId },
      values: { to },
    });
  });
  return notice;
}

/** @throws DrawbridgeError `not_found` where nobody is told by mail */
export async function stopMailNotice(
  { audit }: Pick<Parts, 'audit'>,
  org: OrgStore,
  person: Person,
  channel: string,
): Promise<void> {
  mustBePerson(org, person);
  const at = await org.now();
  await org.write(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('org_settings')
      .where('org_id', '=', org.orgId)
      .where('name', '=', setting)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new DrawbridgeError('not_found', 'Nobody is told by mail.');
    await audit.append(tx, org.orgId, at, {
      kind: 'notice.mail-stopped',
      subject: setting,
      by: makerOf(person),
      channel,
      facts: { member: person.memberId },
    });
  });
}

/** When the last mail was begun, integer ms; 0: never. */
export async function lastMailAt(org: OrgStore): Promise<number> {
  const at = Number(await org.read((db) => settingOf(db, org.orgId, lastMail)));
  return Number.isFinite(at) ? at : 0;
}

/**
 * Takes the turn to send one: recorded before anything is sent, and never given back, so that no mail goes twice.
 * @param given.last what `lastMailAt` said: whoever was faster has changed it
 * @param given.at integer ms, from before it was looked up what waits: what came since belongs to the next one
 * @returns whether the turn is ours
 */
export async function takeMailTurn(
  { audit }: Pick<Parts, 'audit'>,
  org: OrgStore,
  notice: MailNotice,
  given: { last: number; at: number; pending: number; key: string },
): Promise<boolean> {
  const { at } = given;
  return org.write(async (tx) => {
    const last = Number(await settingOf(tx, org.orgId, lastMail)) || 0;
    if (last !== given.last) return false;
    await setValue(tx, org.orgId, lastMail, String(at), at);
    await audit.append(tx, org.orgId, at, {
      kind: 'notice.mailed',
      subject: setting,
      by: { kind: 'clock', id: 'notice', name: 'Notice by mail' },
      channel: 'clock',
      facts: {
        connection: notice.connection,
        member: notice.member,
        pending: given.pending,
        key: given.key,
      },
    });
    return true;
  });
}

function mustBePerson(org: OrgStore, person: Person): void {
  // The type says so already; this holds when the type was talked out of it.
  if (person.kind === 'person' && person.orgId === org.orgId) return;
  throw new DrawbridgeError('permission_denied', 'Only a person of this org says who is told by mail.');
}
