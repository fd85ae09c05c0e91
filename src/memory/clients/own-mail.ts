// Which addresses are the org's own: of connected accounts, as they name themselves, those that a person said are theirs
// (an imported mailbox names none), and of colleagues beside them.
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { fromJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { domainOf, isFreeMail } from './mail-domains.ts';

export const ownSetting = 'own_addresses';
const stored = z.array(z.string());

/** What a person said is the org's own, lower case. A setting that cannot be read says nothing. */
export async function saidAddresses(db: Kysely<OrgTables>, orgId: string): Promise<string[]> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', ownSetting)
    .executeTakeFirst();
  const said = stored.safeParse(row === undefined ? [] : fromJson<unknown>(row.value));
  return said.success ? said.data : [];
}

/** The addresses of connected accounts and those that a person said, lower case. */
export async function ownAddresses(db: Kysely<OrgTables>, orgId: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('connected_sources')
    .select(['account', 'label', 'fields'])
    .where('org_id', '=', orgId)
    .execute();
  const said = rows.flatMap((row) => {
    const { email, user } = fromJson<Record<string, unknown>>(row.fields) ?? {};
    return [row.account, row.label, email, user];
  });
  const told = await saidAddresses(db, orgId);
  return new Set(
    [...said, ...told]
      .filter((one): one is string => typeof one === 'string' && one.includes('@'))
      .map((one) => one.toLowerCase()),
  );
}

/** Whether an address is an account's, or a colleague's: of the same domain, which is not everybody's. */
export function ofOurs(own: ReadonlySet<string>): (address: string) => boolean {
  const domains = new Set(
    [...own].flatMap((address) => domainOf(address) ?? []).filter((domain) => !isFreeMail(domain)),
  );
  return (address) => own.has(address) || domains.has(domainOf(address) ?? '');
}

export async function isOwnMail(db: Kysely<OrgTables>, orgId: string): Promise<(address: string) => boolean> {
  return ofOurs(await ownAddresses(db, orgId));
}
