// What connections need though nobody uses them: tokens renewed before they end, and a log-in now and then
// that tells whether the account still answers. One process at a time for an org; nothing is held in memory.
import type { Clock } from '../../clock.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { holdLease } from '../../store/hold.ts';
import { acquireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { usableStates } from '../states.ts';
import { isDue } from './due.ts';
import type { Tokens } from './tokens.ts';

export interface LookAfterParts {
  clock: Clock;
  log: Log;
  tokens: Pick<Tokens, 'ahead'>;
  /** Whether its people connect it in a browser: then asking whose account it is costs nothing. */
  isOAuth(provider: string): boolean;
  /** Whether it has an account that can be asked. */
  canCheck(provider: string): boolean;
  /** Logs in, and records what came of it. @throws DrawbridgeError what the provider said */
  check(org: OrgStore, id: string, signal: AbortSignal): Promise<void>;
  /** Ends what nobody came back to. */
  sweep(org: OrgStore): Promise<void>;
}

/** A little less than the hour in which the scheduler comes round. */
const healthEveryMs = 55 * 60_000;
/** An API key may pay for each call, and a mailbox is synced anyway. */
const otherHealthEveryMs = 24 * 3_600_000;
const pageRows = 200;
const atOnce = 24;
const leaseMs = 60_000;

interface Due {
  id: string;
  token: boolean;
  health: boolean;
}

/** Ends early with its signal, or when another process has taken the org over. */
export async function lookAfter(org: OrgStore, parts: LookAfterParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  await parts.sweep(org);
  const source = dueOnes(org, parts);
  const first = await source.next();
  if (first.done === true) return;
  const lease = await acquireLease(org, { name: 'care', owner: newId('car', clock.now()), ttlMs: leaseMs });
  if (lease === undefined) return;
  const hold = holdLease(org, lease, { ttlMs: leaseMs, clock, log });
  const over = AbortSignal.any([signal, hold.lost]);
  const worker = async (begun?: Due): Promise<void> => {
    let one = begun ?? (await source.next()).value;
    while (one !== undefined && !over.aborted) {
      await lookAfterOne(org, parts, one, over);
      one = (await source.next()).value;
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, (_, n) => worker(n === 0 ? first.value : undefined)));
  } finally {
    await hold.end();
  }
}

async function lookAfterOne(
  org: OrgStore,
  { log, tokens, check }: LookAfterParts,
  { id, token, health }: Due,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (token) await tokens.ahead(org, id);
    if (health) await check(org, id, signal);
  } catch (error) {
    // What is wrong with one account is on its row, and keeps none of the others waiting.
    if (!signal.aborted) log.info({ err: error, connection: id }, 'an account needs attention');
  }
}

async function* dueOnes(org: OrgStore, parts: LookAfterParts): AsyncGenerator<Due, undefined, void> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const { due, last } = await duePage(org, parts, after);
    yield* due;
    after = last;
  }
  return undefined;
}

/** What is due among the next rows; `last`: where to go on, undefined at the end. */
async function duePage(
  org: OrgStore,
  { clock, isOAuth, canCheck }: LookAfterParts,
  after: string,
): Promise<{ due: Due[]; last: string | undefined }> {
  const now = clock.now();
  const rows = await org.read((db) =>
    db
      .selectFrom('connected_sources as c')
      .leftJoin('oauth_tokens as t', (join) =>
        join.onRef('t.org_id', '=', 'c.org_id').onRef('t.connection_id', '=', 'c.id'),
      )
      .leftJoin('health_checks as h', (join) =>
        join.onRef('h.org_id', '=', 'c.org_id').onRef('h.connection_id', '=', 'c.id'),
      )
      .select([
        'c.id',
        'c.provider',
        'c.created_at',
        't.access_expires_at',
        't.obtained_at',
        't.refreshed_at',
      ])
      .select('h.at as checked_at')
      .where('c.org_id', '=', org.orgId)
      .where('c.state', 'in', [...usableStates])
      .where('c.id', '>', after)
      .orderBy('c.id')
      .limit(pageRows)
      .execute(),
  );
  const due = rows
    .filter(({ provider }) => canCheck(provider))
    .map((row) => ({
      id: row.id,
      token:
        row.obtained_at !== null &&
        isDue({ accessExpiresAt: row.access_expires_at, since: row.refreshed_at ?? row.obtained_at }, now),
      health:
        now - (row.checked_at ?? row.created_at) >=
        (isOAuth(row.provider) ? healthEveryMs : otherHealthEveryMs),
    }))
    .filter(({ token, health }) => token || health);
  return { due, last: rows.length < pageRows ? undefined : rows.at(-1)?.id };
}
