// Tells an open page that what it shows is out of date, whichever process made the move: moves of this one
// are heard at once, those of others by looking every second. However many pages are open, one look an org
// serves them all.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { Connection } from '../../connections/connections.ts';
import { pulse } from '../../queue/find.ts';
import type { Action } from '../../queue/queue.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { eventStream } from './event-stream.ts';

/** A look serves all that ask within this time. */
const looksLastMs = 500;

/** What an org's lists show, in a word that changes when they do. */
export type Pulse = (org: OrgStore) => Promise<string>;

export function createPulse({ queue, clock }: Pick<PageRooms, 'queue' | 'clock'>): Pulse {
  const looks = new Map<string, { at: number; word: Promise<string> }>();
  queue.onMove((orgId) => looks.delete(orgId));
  return (org) => {
    const known = looks.get(org.orgId);
    if (known !== undefined && clock.elapsed() - known.at < looksLastMs) return known.word;
    const look = { at: clock.elapsed(), word: pulse(org, clock.now()) };
    looks.set(org.orgId, look);
    // A look that failed is nobody's answer but its own asker's.
    look.word.catch(() => {
      if (looks.get(org.orgId) === look) looks.delete(org.orgId);
    });
    return look.word;
  };
}

/** What an action's page shows, in a word that changes when it does. */
export function actionFingerprint(action: Action): string {
  const { status, payloadHash, snoozedUntil, assignedTo, holdUntil } = action;
  return wordFor([JSON.stringify([status, payloadHash, snoozedUntil, assignedTo, holdUntil])]);
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
export function liveEvents(c: Context<PageEnv>, rooms: PageRooms, org: OrgStore, pulseOf: Pulse): Response {
  const actionId = c.req.query('action');
  const seen = c.req.query('seen') ?? '';
  const { queue, connections } = rooms;

  async function isOutOfDate(): Promise<boolean> {
    if (c.req.query('of') === 'accounts') return accountsFingerprint(await connections.list(org)) !== seen;
    if (actionId !== undefined) return actionFingerprint(await queue.get(org, actionId)) !== seen;
    return (await pulseOf(org)) !== seen;
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
