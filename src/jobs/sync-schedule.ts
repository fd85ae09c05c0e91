// When each connection is synced: every night unless a person says otherwise, later and later while it fails, and
// at once when somebody asks. A row a connection; whichever process looks first sees to it.
import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { day, hour, minute } from '../time.ts';

type Tx = Transaction<OrgTables>;

export type SyncCause = 'connect' | 'schedule' | 'person' | 'webhook' | 'recall';

export interface Schedule {
  /** Ms from one sync to the next; undefined: each night. */
  everyMs: number | undefined;
  paused: boolean;
  /** Integer ms. */
  nextAt: number;
  /** Runs that failed since the last that did not. */
  failures: number;
  error: { code: string; message: string; at: number } | undefined;
  /** Asked for and not begun, since then. */
  waitingSince: number | undefined;
  fullWanted: boolean;
}

const shortestEveryMs = 5 * minute;
const longestEveryMs = 7 * day;
/** What is asked for and not begun for so long is asked for again. */
export const waitsAtMostMs = 15 * minute;
const backOffMs = [minute, 5 * minute, 15 * minute, hour, 4 * hour, 12 * hour];
const nightHour = 2;

/** A time of its own in the small hours for each connection, so that they do not all come at once. */
function spread(connectionId: string): number {
  return createHash('sha256').update(connectionId).digest().readUInt32BE() % (3 * hour);
}

/** The next run after one at `now`: the coming night, by the local time of the process, or `everyMs` later. */
export function nextRun(connectionId: string, everyMs: number | null, now: number): number {
  if (everyMs !== null) return now + everyMs;
  const night = new Date(now);
  night.setHours(nightHour, 0, 0, 0);
  let at = night.getTime() + spread(connectionId);
  while (at <= now + minute) {
    night.setDate(night.getDate() + 1);
    // Anew: where clocks went forward, this night had no such hour, and the next one has.
    night.setHours(nightHour, 0, 0, 0);
    at = night.getTime() + spread(connectionId);
  }
  return at;
}

/** How long to wait after so many failures in a row, ms. */
export function backOff(failures: number): number {
  return backOffMs[Math.min(failures, backOffMs.length) - 1] ?? minute;
}

export function toSchedule(row: OrgTables['sync_schedules']): Schedule {
  return {
    everyMs: row.every_ms ?? undefined,
    paused: row.paused === 1,
    nextAt: row.next_at,
    failures: row.failures,
    error: row.last_error === null ? undefined : fromJson<NonNullable<Schedule['error']>>(row.last_error),
    waitingSince: row.waiting_since ?? undefined,
    fullWanted: row.full_wanted === 1,
  };
}

/** Makes the row where there is none: such a connection is due at once, or, synced before, when it would have been. */
export async function ensureSchedule(
  tx: Tx,
  orgId: string,
  connectionId: string,
  { now, lastSyncAt }: { now: number; lastSyncAt: number | undefined },
): Promise<void> {
  await tx
    .insertInto('sync_schedules')
    .values({
      org_id: orgId,
      connection_id: connectionId,
      every_ms: null,
      paused: 0,
      next_at: lastSyncAt === undefined ? now : nextRun(connectionId, null, lastSyncAt),
      failures: 0,
      last_error: null,
      full_wanted: 0,
      waiting_since: null,
      live_before: null,
      forgotten: 0,
      asked_at: null,
      updated_at: now,
    })
    .onConflict((known) => known.columns(['org_id', 'connection_id']).doNothing())
    .execute();
}

export async function readSchedule(
  org: OrgStore,
  connectionId: string,
): Promise<OrgTables['sync_schedules'] | undefined> {
  return org.read((db) =>
    db
      .selectFrom('sync_schedules')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .executeTakeFirst(),
  );
}

/** Changes the row, which must be there. */
export async function setSchedule(
  tx: Tx,
  orgId: string,
  connectionId: string,
  set: Partial<Omit<OrgTables['sync_schedules'], 'org_id' | 'connection_id'>>,
): Promise<void> {
  await tx
    .updateTable('sync_schedules')
    .set(set)
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
}

/** After a run that did what it should; part of the transaction in which it ends. */
export async function noteSuccess(tx: Tx, orgId: string, connectionId: string, now: number): Promise<void> {
  const row = await tx
    .selectFrom('sync_schedules')
    .select('every_ms')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .executeTakeFirst();
  await setSchedule(tx, orgId, connectionId, {
    failures: 0,
    last_error: null,
    live_before: null,
    forgotten: 0,
    next_at: nextRun(connectionId, row?.every_ms ?? null, now),
    updated_at: now,
  });
}

/**
 * After one that failed: again after a while that grows, or, where that helps nothing, at its usual time. One that
 * met a limit and was told its end has not failed: it goes on from its cursor then.
 */
export async function noteFailure(
  org: OrgStore,
  connectionId: string,
  error: DrawbridgeError,
): Promise<void> {
  await org.write(async (tx) => {
    const now = await org.now();
    const row = await tx
      .selectFrom('sync_schedules')
      .select(['every_ms', 'failures'])
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .executeTakeFirst();
    const told = error.code === 'rate_limited' ? error.retryAfterMs : undefined;
    const failures = (row?.failures ?? 0) + (told === undefined ? 1 : 0);
    const usual = nextRun(connectionId, row?.every_ms ?? null, now);
    const again = now + Math.max(told === undefined ? backOff(failures) : minute, error.retryAfterMs ?? 0);
    const passes = error.retry === 'later' || error.code === 'internal';
    await setSchedule(tx, org.orgId, connectionId, {
      failures,
      last_error: toJson({ code: error.code, message: error.message, at: now }),
      next_at: passes ? again : usual,
      updated_at: now,
    });
  });
}

/**
 * `nightly`, or a number with m, h or d.
 * @returns ms, null for nightly
 * @throws DrawbridgeError `invalid_request`
 */
export function parseEvery(text: string): number | null {
  if (/^night(ly)?$/i.test(text.trim())) return null;
  const found = /^(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?)$/i.exec(text.trim());
  const unit = { m: minute, h: hour, d: day }[(found?.[2] ?? '').charAt(0).toLowerCase()];
  const ms = found === null || unit === undefined ? Number.NaN : Number(found[1]) * unit;
  if (!(ms >= shortestEveryMs && ms <= longestEveryMs)) {
    throw new DrawbridgeError(
      'invalid_request',
      `"${text}" is no time between syncs: nightly, or 5m to 7d (30m, 6h, 1d).`,
      { field: 'every' },
    );
  }
  return ms;
}

/** `each night`, `every 6 hours` … */
export function everyWords(everyMs: number | undefined): string {
  if (everyMs === undefined) return 'each night';
  for (const [ms, word] of [
    [day, 'day'],
    [hour, 'hour'],
    [minute, 'minute'],
  ] as const) {
    if (everyMs % ms === 0) {
      const count = everyMs / ms;
      return count === 1 ? `every ${word}` : `every ${count} ${word}s`;
    }
  }
  return `every ${Math.round(everyMs / minute)} minutes`;
}
