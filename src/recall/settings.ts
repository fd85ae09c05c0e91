// What people of the org set of recall: how old an answer of memory may be, and in which time zone its days begin.
import type { Audit } from '../audit/audit.ts';
import type { Person } from '../auth/principal.ts';
import { makerOf } from '../auth/record-change.ts';
import { DrawbridgeError } from '../errors.ts';
import { timeZoneSetting } from '../memory/question/time-zone.ts';
import { catalog } from '../providers/catalog.ts';
import { documentKinds } from '../providers/record.ts';
import { writeSetting } from '../store/settings.ts';
import type { OrgStore } from '../store/store.ts';
import { checkTimeZone, day } from '../time.ts';
import { type Freshness, freshnessSetting, readFreshness } from './thresholds.ts';

const longestMs = 365 * day;

export interface Change {
  /** An IANA name; null: as the machine's again. */
  timeZone?: string | null;
  /** Of one kind, of one provider where it is named. `ageMs` null: as it is by default again. */
  freshness?: { kind: string; provider?: string | undefined; ageMs: number | null };
}

function withAge(
  { kinds, providers }: Freshness,
  { kind, provider, ageMs }: NonNullable<Change['freshness']>,
): Freshness {
  const set = (ages: Record<string, number>) => {
    const { [kind]: _before, ...others } = ages;
    return ageMs === null ? others : { ...others, [kind]: ageMs };
  };
  if (provider === undefined) return { kinds: set(kinds), providers };
  return { kinds, providers: { ...providers, [provider]: set(providers[provider] ?? {}) } };
}

/**
 * Stored with an entry in the record. @throws DrawbridgeError `invalid_request` with `field`; `permission_denied` for
 * whoever is no person of the org
 */
export async function changeRecall(
  { audit }: { audit: Pick<Audit, 'append'> },
  org: OrgStore,
  person: Person,
  { timeZone, freshness, channel }: Change & { channel: string },
): Promise<void> {
  if (person.kind !== 'person' || person.orgId !== org.orgId)
    throw new DrawbridgeError('permission_denied', 'Only a person of the org changes its settings.');
  if (freshness !== undefined) {
    const { kind, provider, ageMs } = freshness;
    if (provider !== undefined && !catalog.some(({ id }) => id === provider))
      throw new DrawbridgeError(
        'invalid_request',
        `provider: "${provider}" is none. There are: ${catalog.map(({ id }) => id).join(', ')}.`,
        { field: 'provider' },
      );
    if (!documentKinds.some((known) => known === kind))
      throw new DrawbridgeError(
        'invalid_request',
        `kind: "${kind}" is no kind. There are: ${documentKinds.join(', ')}.`,
        { field: 'kind' },
      );
    if (ageMs !== null && !(Number.isSafeInteger(ageMs) && ageMs >= 0 && ageMs <= longestMs))
      throw new DrawbridgeError('invalid_request', 'age: must be between 0 and 365 days.', { field: 'age' });
  }
  const zone = timeZone === undefined || timeZone === null ? timeZone : checkTimeZone(timeZone, 'time zone');
  const ages = freshness === undefined ? undefined : withAge(await readFreshness(org), freshness);
  const at = await org.now();
  const by = makerOf(person);
  await org.write(async (tx) => {
    const settings: [name: string, value: unknown, said: string][] = [];
    if (zone !== undefined) settings.push([timeZoneSetting, zone ?? undefined, zone ?? 'as the machine']);
    if (freshness !== undefined) {
      const { kind, provider, ageMs } = freshness;
      const whose = provider === undefined ? kind : `${provider} ${kind}`;
      settings.push([freshnessSetting, ages, `${whose}: ${ageMs === null ? 'by default' : `${ageMs} ms`}`]);
    }
    for (const [name, value, said] of settings) {
      await writeSetting(tx, org.orgId, { name, value, at });
      await audit.append(tx, org.orgId, at, {
        kind: 'settings.changed',
        subject: name,
        by,
        channel,
        facts: { setting: said },
      });
    }
  });
}
