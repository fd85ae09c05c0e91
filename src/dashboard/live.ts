// Tells an open page that what it shows is out of date, whichever process made the move: moves of this one
// are heard at once, those of others by looking every second.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { Connection } from '../connections/connections.ts';
import type { Action } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';
import type { PageEnv, PageRooms } from './environment.ts';
import { eventStream } from './event-stream.ts';

export const listLength = 50;

/** What a list shows, in a word that changes when it does. */
export function fingerprint(actions: readonly Action[]): string {
  return wordFor(actions.map((action) => `${action.id} ${action.status}`));
}

/** The same for the accounts. */
export function accountsFingerprint(connections: readonly Connection[]): string {
  return wordFor(
    connections.map(({ id, state, lastSyncAt, lastError }) =>
      JSON.stringify([id, state, lastSyncAt, lastError]),
    ),
  );
}

function wordFor(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

/** An event stream that says `changed` once what was `seen` is no longer so, and ends. */
export function liveEvents(c: Context<PageEnv>, rooms: PageRooms, org: OrgStore): Response {
  const actionId = c.req.query('action');
  const seen = c.req.query('seen') ?? '';
  const { queue, connections } = rooms;

  async function isOutOfDate(): Promise<boolean> {
    if (c.req.query('of') === 'accounts') return accountsFingerprint(await connections.list(org)) !== seen;
    if (actionId !== undefined) return (await queue.get(org, actionId)).status !== seen;
    return fingerprint(await queue.list(org, { limit: listLength })) !== seen;
  }

  return eventStream(c, rooms, {
    async look(stream) {
      if (!(await isOutOfDate())) return false;
      await stream.writeSSE({ event: 'changed', data: '' });
      return true;
    },
    listen: (wake) =>
      queue.onMove((orgId) => {
        if (orgId === org.orgId) wake();
      }),
  });
}
