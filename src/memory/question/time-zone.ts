// The time zone in which the org's days begin: as it is set, else the machine's.
import { z } from 'zod';
import type { OrgStore } from '../../store/store.ts';
import { checkTimeZone } from '../../time.ts';

/** The machine's, found out once: it takes longer than the question for the setting. */
let machine: string | undefined;

/** An IANA name. */
export async function readTimeZone(org: OrgStore): Promise<string> {
  const row = await org.read((db) =>
    db
      .selectFrom('org_settings')
      .select('value')
      .where('org_id', '=', org.orgId)
      .where('name', '=', 'time_zone')
      .executeTakeFirst(),
  );
  machine ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = machine;
  if (row === undefined) return own;
  try {
    return checkTimeZone(z.string().parse(JSON.parse(row.value)), 'time_zone');
  } catch {
    // A setting that cannot be read is none.
    return own;
  }
}
