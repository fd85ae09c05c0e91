// Asking for a sync: by the clock, a person, a webhook, or because an account was connected. What is asked is a row
// and then a message, so that a process that dies in between loses nothing, and asking twice is asking once.
import type { Connection, Connections } from '../connections/connections.ts';
import { isUsable, usableStates } from '../connections/states.ts';
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from '../store/store.ts';
import type { Messages } from './messages/messages.ts';
import { ensureSchedule, nextRun, type SyncCause, waitsAtMostMs } from './sync-schedule.ts';

/** The name of the queue. */
export const syncQueue = 'sync';

export interface SyncMessage {
  connectionId: string;
  cause: SyncCause;
}

export interface RequestParts {
  connections: Pick<Connections, 'get' | 'list'>;
  messages: Pick<Messages, 'send'>;
  /** What is asked for and not begun for so long is asked for again, ms. */
  waitsAtMostMs?: number;
}

/**
 * Asks for a sync of a connection. One that waits already covers this one, too.
 * @returns false where nothing was asked: it is paused, and neither a person nor a new account asks
 * @throws DrawbridgeError `not_found`; `invalid_request` for an account without feeds
 */
export async function requestSync(
  org: OrgStore,
  parts: RequestParts,
  given: { connectionId: string; cause: SyncCause; full?: boolean },
): Promise<boolean> {
  const { connectionId, cause, full = false } = given;
  const connection = await parts.connections.get(org, connectionId);
  if (!connection.hasFeeds) {
    throw new DrawbridgeError(
      'invalid_request',
      `${connection.label} has nothing to sync: it is asked when needed.`,
    );
  }
  const staleMs = parts.waitsAtMostMs ?? waitsAtMostMs;
  const asked = await org.write(async (tx) => {
    const now = await org.now();
    await ensureSchedule(tx, org.orgId, connectionId, { now, lastSyncAt: connection.lastSyncAt });
    const row = await tx
      .selectFrom('sync_schedules')
      .select(['paused', 'every_ms', 'waiting_since'])
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .executeTakeFirstOrThrow();
    const lapsed = row.waiting_since !== null && row.waiting_since <= now - staleMs;
    if (row.paused === 1 && cause !== 'person' && cause !== 'connect' && !lapsed) return 'paused';
    const byClock = cause === 'schedule' || cause === 'connect';
    // Only who finds nobody waiting sends; on PostgreSQL two may have read the same row.
    const { numUpdatedRows } = await tx
      .updateTable('sync_schedules')
      .set({
        waiting_since: now,
        updated_at: now,
        ...(byClock ? { next_at: nextRun(connectionId, row.every_ms, now) } : {}),
      })
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .where((is) => is.or([is('waiting_since', 'is', null), is('waiting_since', '<=', now - staleMs)]))
      .executeTakeFirst();
    if (full) {
      await tx
        .updateTable('sync_schedules')
        .set({ full_wanted: 1 })
        .where('org_id', '=', org.orgId)
        .where('connection_id', '=', connectionId)
        .execute();
    }
    return numUpdatedRows === 1n ? 'send' : 'waits';
  });
  if (asked === 'paused') return false;
  if (asked === 'send') {
    const message: SyncMessage = { connectionId, cause };
    await parts.messages.send(org, syncQueue, message);
  }
  return true;
}

/** Whether syncing it is worth a try. */
function canSync({ state, hasFeeds }: Connection): boolean {
  return hasFeeds && isUsable(state);
}

/** Asks for what is due in an org. `feedless`: ids that were found to have nothing to sync; added to. */
export async function requestDue(org: OrgStore, parts: RequestParts, feedless: Set<string>): Promise<void> {
  const staleMs = parts.waitsAtMostMs ?? waitsAtMostMs;
  const found = await org.read(async (db) => {
    const now = await org.now();
    return db
      .selectFrom('connected_sources as c')
      .leftJoin('sync_schedules as s', (join) =>
        join.onRef('s.org_id', '=', 'c.org_id').onRef('s.connection_id', '=', 'c.id'),
      )
      .select(['c.id', 's.connection_id as scheduled'])
      .where('c.org_id', '=', org.orgId)
      .where('c.state', 'in', [...usableStates])
      .where((is) =>
        is.or([
          is('s.connection_id', 'is', null),
          is.and([is('s.paused', '=', 0), is('s.next_at', '<=', now), is('s.waiting_since', 'is', null)]),
          is('s.waiting_since', '<=', now - staleMs),
        ]),
      )
      .orderBy('s.next_at')
      .orderBy('c.id')
      .execute();
  });
  const candidates = new Set(found.map(({ id }) => id).filter((id) => !feedless.has(id)));
  if (candidates.size === 0) return;
  for (const connection of await parts.connections.list(org)) {
    if (!candidates.has(connection.id)) continue;
    if (!canSync(connection)) {
      feedless.add(connection.id);
      continue;
    }
    const { id: connectionId, lastSyncAt } = connection;
    const isNew = found.some(({ id, scheduled }) => id === connectionId && scheduled === null);
    if (isNew && lastSyncAt !== undefined) {
      // From before there were schedules: due when it would have been.
      await org.write(async (tx) =>
        ensureSchedule(tx, org.orgId, connectionId, { now: await org.now(), lastSyncAt }),
      );
      continue;
    }
    await requestSync(org, parts, { connectionId, cause: lastSyncAt === undefined ? 'connect' : 'schedule' });
  }
}
