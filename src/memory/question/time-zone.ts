// The time zone in which the org's days begin: as it is set, else the machine's.
import { readSetting } from '../../store/settings.ts';
import type { OrgStore } from '../../store/store.ts';
import { checkTimeZone } from '../../time.ts';

export const timeZoneSetting = 'time_zone';

/** The machine's, found out once: it takes longer than the question for the setting. */
let machine: string | undefined;

/** An IANA name. A setting that cannot be read is none. */
export async function readTimeZone(org: OrgStore): Promise<string> {
  const set = await readSetting(org, timeZoneSetting);
  machine ??= Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (typeof set !== 'string') return machine;
  try {
    return checkTimeZone(set, timeZoneSetting);
  } catch {
    return machine;
  }
}
