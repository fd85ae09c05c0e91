// Whom the org has sent something to by an action that was done.
import type { OrgStore } from '../store/store.ts';

/** Those of `addresses` (lower case) that a completed send names as a recipient. */
export async function sentTo(org: OrgStore, addresses: readonly string[]): Promise<Set<string>> {
  const place = org.dialect === 'postgres' ? 'strpos' : 'instr';
  const found = await org.read((db) =>
    Promise.all(
      addresses.map(async (address) => {
        const row = await db
          .selectFrom('action_queue')
          .select('id')
          .where('org_id', '=', org.orgId)
          .where('status', '=', 'completed')
          .where('effect', '=', 'send')
          .where((e) =>
            e(
              e.fn<number>(place, [
                e.fn<string>('lower', ['payload']),
                // Payloads are canonical: no blank stands between a name and its value.
                e.val(`"email":${JSON.stringify(address)}`),
              ]),
              '>',
              0,
            ),
          )
          .limit(1)
          .executeTakeFirst();
        return row === undefined ? undefined : address;
      }),
    ),
  );
  return new Set(found.filter((address) => address !== undefined));
}
