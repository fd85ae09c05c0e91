// How old a record may be before its answer says so and its provider is asked again: by kind, by what its provider
// declares, and by what the org has set.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { isOwn } from '../providers/own.ts';
import type { DocumentKind } from '../providers/record.ts';
import { readSetting } from '../store/settings.ts';
import type { OrgStore } from '../store/store.ts';
import { day, hour, minute } from '../time.ts';

const byKind: Partial<Record<DocumentKind, number>> = {
  mail: 15 * minute,
  chat: 15 * minute,
  event: 15 * minute,
  deal: 15 * minute,
  ticket: 15 * minute,
  order: 15 * minute,
  invoice: hour,
  payment: hour,
};
const otherwise = day;

export const freshnessSetting = 'freshness';
const ages = z.record(z.string(), z.number().int().min(0));
const stored = z.object({ kinds: ages.default({}), providers: z.record(z.string(), ages).default({}) });
/** What an org has set, in ms: by kind, and by provider and kind. */
export type Freshness = z.output<typeof stored>;

/** A setting that cannot be read sets nothing. */
export async function readFreshness(org: OrgStore): Promise<Freshness> {
  const parsed = stored.safeParse(await readSetting(org, freshnessSetting));
  return parsed.success ? parsed.data : { kinds: {}, providers: {} };
}

/** What an age is judged by. */
export interface Allowed {
  /** What the caller said; it counts before all else. */
  maxAgeMs: number | undefined;
  /** What the org has set; left out: nothing. */
  freshness?: Freshness | undefined;
}

/** Ms. Endless for what only people of the org change, in Drawbridge itself. */
export function allowedAge(
  kind: string,
  { maxAgeMs, freshness }: Allowed,
  connection?: Pick<Connection, 'provider' | 'freshMs'>,
): number {
  if (connection !== undefined && isOwn(connection.provider)) return Number.POSITIVE_INFINITY;
  const known = kind as DocumentKind;
  return (
    maxAgeMs ??
    freshness?.providers[connection?.provider ?? '']?.[kind] ??
    freshness?.kinds[kind] ??
    connection?.freshMs?.[known] ??
    byKind[known] ??
    otherwise
  );
}

/** The shortest of what its feeds bring, or of those of these kinds. */
export function allowedSince(
  connection: Pick<Connection, 'provider' | 'freshMs' | 'feedKinds'>,
  kinds: readonly string[] | undefined,
  allowed: Allowed,
): number {
  const concerned = connection.feedKinds.filter((kind) => kinds === undefined || kinds.includes(kind));
  return Math.min(...concerned.map((kind) => allowedAge(kind, allowed, connection)));
}
