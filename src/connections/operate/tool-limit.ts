// How many live calls an org's tools may cause in an hour, by its plan. What memory answers, what a sync
// fetches and what a status asks are never counted.
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { ToolLimit } from '../../egress/guards.ts';
import { createKeptWhile } from '../../egress/kept-while.ts';
import { fromJson } from '../../store/codec.ts';
import type { Store } from '../../store/store.ts';
import { type Plan, planName } from '../plan.ts';

const hour = 3_600_000;
/** Calls an hour; undefined: as many as it likes. */
const limits: Record<Plan, number | undefined> = { professional: 100, team: 1000, local: undefined };
/** A changed plan holds after this time at the latest, in every process. */
const rereadMs = 10_000;
const ownLimit = z.int().positive().nullable();

/**
 * The org's own settings come first: `plan`, and `tool_call_limit` (calls an hour, or null for no limit).
 * @returns what the door asks before each live call of a tool
 */
export function createToolLimit(given: {
  store: Store;
  clock: Clock;
  /** The installation's plan. */
  plan: Plan;
}): (orgId: string) => Promise<ToolLimit | undefined> {
  const { store, clock } = given;
  // An org that asks no more is forgotten: there may be thousands.
  const known = createKeptWhile<{ limit: ToolLimit | undefined; until: number }>(clock, () => true);

  async function read(orgId: string): Promise<ToolLimit | undefined> {
    const org = await store.forOrg(orgId);
    const rows = await org.read((db) =>
      db
        .selectFrom('org_settings')
        .select(['name', 'value'])
        .where('org_id', '=', orgId)
        .where('name', 'in', ['plan', 'tool_call_limit'])
        .execute(),
    );
    const setting = (name: string): unknown => {
      const row = rows.find((one) => one.name === name);
      return row === undefined ? undefined : fromJson(row.value);
    };
    const plan = planName.catch(given.plan).parse(setting('plan'));
    const own = ownLimit.optional().catch(undefined).parse(setting('tool_call_limit'));
    const calls = own === null ? undefined : (own ?? limits[plan]);
    if (calls === undefined) return undefined;
    return {
      calls,
      ms: hour,
      words: `The ${calls} live calls that tools may make in an hour are used up. What is in memory is still answered, and not counted.`,
    };
  }

  return async (orgId) => {
    const kept = known.get(orgId, () => ({ limit: undefined, until: Number.NEGATIVE_INFINITY }));
    if (clock.elapsed() < kept.until) return kept.limit;
    kept.limit = await read(orgId);
    kept.until = clock.elapsed() + rereadMs;
    return kept.limit;
  };
}
