// What needs a person: a connection that has to be authorised again, trouble that does not pass by itself, a
// limit that is reached. And the record of moves that pages follow.
import { newId } from '../ids.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState } from '../store/tables.ts';
import type { Connection } from './connections.ts';
import { type Plan, readAllowance } from './plan.ts';

/** Trouble that is younger passes by itself more often than not. */
const lastsMs = 15 * 60_000;
const mostEvents = 500;

export interface Notice {
  kind: 'reconnect' | 'error' | 'limit' | 'deletions';
  /** Undefined where it is about the org. */
  connectionId: string | undefined;
  /** What is the matter, in a sentence. */
  text: string;
  /** Page of ours on which it is mended. */
  path: string;
}

export interface ConnectionEvent {
  id: string;
  connectionId: string;
  /** Null: it began. */
  from: ConnectionState | null;
  to: ConnectionState;
  reason: string | undefined;
  /** Integer ms. */
  at: number;
}

export async function noticesOf(
  org: OrgStore,
  connections: readonly Connection[],
  { plan, now }: { plan: Plan; now: number },
): Promise<Notice[]> {
  const notices: Notice[] = [];
  for (const connection of connections) {
    const notice = await noticeOf(org, connection, now);
    if (notice !== undefined) notices.push(notice);
  }
  notices.push(...(await heldDeletions(org, connections)));
  const allowance = await org.read((db) => readAllowance(db, org.orgId, plan));
  if (allowance.limit !== undefined && allowance.used >= allowance.limit) {
    notices.push({
      kind: 'limit',
      connectionId: undefined,
      text: `All ${allowance.limit} connections of the ${allowance.plan} plan are in use: another account cannot be connected.`,
      path: '/connections',
    });
  }
  return notices;
}

async function noticeOf(org: OrgStore, connection: Connection, now: number): Promise<Notice | undefined> {
  const { id, provider, providerTitle, label, state, account, lastError } = connection;
  const name = `${label} (${providerTitle})`;
  // One that was begun and not finished has no account that anybody misses.
  if (state === 'EXPIRED' || (state === 'AUTHORIZING' && account !== '')) {
    return {
      kind: 'reconnect',
      connectionId: id,
      text: `${name} must be connected again.`,
      path: `/connect/${provider}?account=${id}`,
    };
  }
  if (state !== 'ERROR' && state !== 'DEGRADED') return undefined;
  if (now - (await since(org, id, state)) < lastsMs) return undefined;
  const limited = lastError?.code === 'rate_limited' || lastError?.code === 'quota_exhausted';
  return {
    kind: limited ? 'limit' : 'error',
    connectionId: id,
    text: `${name} ${state === 'ERROR' ? 'does not work' : 'is in trouble'}: ${lastError?.message ?? 'the cause is not known'}`,
    path: '/connections',
  };
}

/** Connections at which so much is gone at once that a person is asked (jobs/sync-deletions.ts). */
async function heldDeletions(org: OrgStore, connections: readonly Connection[]): Promise<Notice[]> {
  const asked = await org.read((db) =>
    db
      .selectFrom('sync_schedules')
      .select('connection_id')
      .where('org_id', '=', org.orgId)
      .where('asked_at', 'is not', null)
      .execute(),
  );
  return asked.flatMap(({ connection_id }) => {
    const connection = connections.find(({ id }) => id === connection_id);
    if (connection === undefined) return [];
    return {
      kind: 'deletions' as const,
      connectionId: connection.id,
      text: `Much of ${connection.label} (${connection.providerTitle}) is gone there at once. Nothing was deleted here: say whether it should be.`,
      path: `/sources#${connection.id}`,
    };
  });
}

/** When the connection came into the state that it is in, integer ms. */
async function since(org: OrgStore, id: string, state: ConnectionState): Promise<number> {
  const row = await org.read((db) =>
    db
      .selectFrom('connection_events')
      .select((event) => event.fn.max('at').as('at'))
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', id)
      .where('to_state', '=', state)
      .executeTakeFirst(),
  );
  return Number(row?.at ?? 0);
}

/** The steps of one connect may share their instant: then the road's own order decides. */
const order: readonly ConnectionState[] = [
  'PENDING',
  'AUTHORIZING',
  'CONNECTED',
  'ACTIVE',
  'DEGRADED',
  'ERROR',
  'EXPIRED',
  'REVOKED',
  'DELETED',
];

/** Moves at or after `from` (integer ms), in order; the first 500. */
export async function eventsSince(org: OrgStore, from: number): Promise<ConnectionEvent[]> {
  // An identifier begins with its time, and is what the table is sorted by.
  const first = newId('cev', from).slice(0, -16);
  const rows = await org.read((db) =>
    db
      .selectFrom('connection_events')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('id', '>=', first)
      .orderBy('id')
      .limit(mostEvents)
      .execute(),
  );
  return rows
    .map((row) => ({
      id: row.id,
      connectionId: row.connection_id,
      from: row.from_state as ConnectionState | null,
      to: row.to_state as ConnectionState,
      reason: row.reason ?? undefined,
      at: row.at,
    }))
    .sort((a, b) => a.at - b.at || order.indexOf(a.to) - order.indexOf(b.to));
}
