// How old an answer may be before it says so, and what is asked again because of it.

import type { Connection } from '../connections/connections.ts';
import { toDrawbridgeError } from '../errors.ts';
import { ageInWords, day, minute } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import type { ToolContext } from './define.ts';

/** A record verified longer ago than this is marked stale, and its provider is asked again. */
const threshold: Record<string, number> = { mail: 15 * minute, event: 15 * minute, listing: day };
const defaultThreshold = day;
const liveCalls = 2;
const timeBox = 3_000;
const mostNamed = 5;

export function allowedAge(kind: string, maxAgeMs: number | undefined): number {
  return maxAgeMs ?? threshold[kind] ?? defaultThreshold;
}

/**
 * Asks the providers whose last sync is older than allowed for what is new: at most two, 3 s together.
 * What takes longer goes on behind the answer. Returns the reasons why an answer may be incomplete.
 */
export async function refreshStale(
  context: ToolContext,
  connections: Connection[],
  maxAgeMs: number | undefined,
): Promise<string[]> {
  const { rooms, org } = context;
  const now = rooms.clock.now();
  const allowed = maxAgeMs ?? 15 * minute;
  const stale = connections
    .filter((c) => c.hasFeeds && ['ACTIVE', 'DEGRADED', 'ERROR', 'CONNECTED'].includes(c.state))
    .filter((c) => now - (c.lastSyncAt ?? 0) > allowed)
    .sort((a, b) => (a.lastSyncAt ?? 0) - (b.lastSyncAt ?? 0));
  const due = stale.slice(0, liveCalls);
  const left = stale.slice(liveCalls);
  const reasons = left.slice(0, mostNamed).map((c) => {
    const asked =
      c.lastSyncAt === undefined
        ? 'has never been asked'
        : `was last asked ${ageInWords(now - c.lastSyncAt)} ago`;
    return `${c.label} (${c.id}) ${asked} and was not asked now; ask again, or name it with account.`;
  });
  if (left.length > mostNamed)
    reasons.push(
      `${left.length - mostNamed} more accounts were not asked either; list-connections says when each was last.`,
    );
  if (due.length === 0) return reasons;
  const runs = due.map(async (connection) => {
    try {
      await rooms.refresh(org, connection.id);
      return undefined;
    } catch (thrown) {
      rooms.log.info({ err: thrown, connection: connection.id }, 'refresh before an answer failed');
      return `${connection.label} could not be asked for news: ${toDrawbridgeError(thrown).message.slice(0, 500)}`;
    }
  });
  const late = rooms.clock.sleep(timeBox, { unref: true }).then(() => 'late' as const);
  for (const [index, run] of runs.entries()) {
    const result = await Promise.race([run, late]);
    if (result === 'late')
      reasons.push(`${due[index]?.label} is still being asked for news; newer records may be missing.`);
    else if (result !== undefined) reasons.push(result);
  }
  return reasons;
}

/** Accounts whose news cannot come before a person connects them again: said with every answer, hits or none. */
export function shutOut(connections: readonly Connection[], pageUrl: (path: string) => string): string[] {
  const shut = connections.filter(
    (c) => c.state === 'EXPIRED' || (c.state === 'AUTHORIZING' && c.account !== ''),
  );
  const lines = shut
    .slice(0, mostNamed)
    .map(
      (c) =>
        `${visibleLine(c.label, 120)} (${c.providerTitle}) must be connected again: nothing new comes from it, and what it holds may be out of date. A person opens ${pageUrl(`/connect/${c.provider}?account=${c.id}`)}`,
    );
  return shut.length > mostNamed
    ? [...lines, `${shut.length - mostNamed} more must be connected again; list-connections names them.`]
    : lines;
}
