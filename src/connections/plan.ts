// How many accounts an org may connect. The place is taken under a lock of the org, so that two who come for
// the last one at once do not both get it.
import type { Kysely, Transaction } from 'kysely';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { DrawbridgeError } from '../errors.ts';
import { ownProviders } from '../providers/own.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';

export type Plan = Config['plan'];

/** Connections an org; undefined: as many as it likes. */
const limits: Record<Plan, number | undefined> = { professional: 3, team: undefined, local: undefined };
export const planName = z.enum(['local', 'professional', 'team']);
const ownLimit = z.int().positive().nullable();

export interface Allowance {
  plan: Plan;
  limit: number | undefined;
  used: number;
}

/**
 * The org's own settings come first: `plan`, and `connection_limit` (a number, or null for none) for an org
 * that agreed on another one.
 * @param fallback the installation's plan
 */
export async function readAllowance(
  db: Kysely<OrgTables>,
  orgId: string,
  fallback: Plan,
): Promise<Allowance> {
  const rows = await db
    .selectFrom('org_settings')
    .select(['name', 'value'])
    .where('org_id', '=', orgId)
    .where('name', 'in', ['plan', 'connection_limit'])
    .execute();
  const setting = (name: string): unknown => {
    const row = rows.find((one) => one.name === name);
    return row === undefined ? undefined : fromJson(row.value);
  };
  const plan = planName.catch(fallback).parse(setting('plan'));
  const own = ownLimit.optional().catch(undefined).parse(setting('connection_limit'));
  const counted = await db
    .selectFrom('connected_sources')
    .select((column) => column.fn.countAll<number | string>().as('count'))
    .where('org_id', '=', orgId)
    .where('provider', 'not in', ownProviders)
    .where('state', 'not in', ['REVOKED', 'DELETED'])
    // An authorization that is not finished has no account yet, and may never have one.
    .where('account', 'not like', 'unfinished:%')
    .executeTakeFirstOrThrow();
  return { plan, limit: own === null ? undefined : (own ?? limits[plan]), used: Number(counted.count) };
}

/** @throws DrawbridgeError `quota_exhausted` when no place is left */
export function assertPlace({ plan, limit, used }: Allowance): void {
  if (limit === undefined || used < limit) return;
  throw new DrawbridgeError(
    'quota_exhausted',
    `The ${plan} plan has ${limit} connections, and all are in use. Disconnect one, or move to a larger plan.`,
    { retry: 'ask' },
  );
}

/**
 * Takes a place inside the transaction that stores the connection.
 * @throws DrawbridgeError `quota_exhausted` when none is left
 */
export async function takePlace(
  tx: Transaction<OrgTables>,
  orgId: string,
  { plan, at }: { plan: Plan; at: number },
): Promise<void> {
  // On PostgreSQL a count sees nothing of a transaction beside it: this row is the turnstile.
  await tx
    .insertInto('org_settings')
    .values({ org_id: orgId, name: 'connections_counted', value: toJson(at), updated_at: at })
    .onConflict((known) =>
      known.columns(['org_id', 'name']).doUpdateSet({ value: toJson(at), updated_at: at }),
    )
    .execute();
  assertPlace(await readAllowance(tx, orgId, plan));
}
