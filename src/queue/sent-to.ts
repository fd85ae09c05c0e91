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

/** Sends that are looked through for the domains that the org writes to. */
const latest = 300;
const inPayload = /"email":"([^"\\]+)"/g;

/** Addresses (lower case) in the last 300 completed sends. */
export async function lastSentTo(org: OrgStore): Promise<Set<string>> {
  const rows = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select('payload')
      .where('org_id', '=', org.orgId)
      .where('status', '=', 'completed')
      .where('effect', '=', 'send')
      .orderBy('proposed_at', 'desc')
      .limit(latest)
      .execute(),
  );
  const found = rows.flatMap(({ payload }) =>
    [...payload.matchAll(inPayload)].map((match) => match[1] ?? ''),
  );
  return new Set(found.map((address) => address.toLowerCase()));
}
