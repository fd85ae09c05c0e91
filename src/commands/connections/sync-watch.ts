// What is being synced, by whichever process, as lines that come when something changes.
import type { Connection } from '../../connections/connections.ts';
import type { SyncState } from '../../jobs/sync-overview.ts';
import type { Rooms } from '../../rooms.ts';
import { iso } from '../../time.ts';
import { interruption, type Session } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

const lookEveryMs = 1_000;

/** As JSON: how a connection's syncing stands. */
export function toldOf(connection: Connection, state: SyncState | undefined) {
  const { id: connectionId, label } = connection;
  const { schedule, last, asked } = state ?? {};
  return {
    connectionId,
    label,
    everyMs: schedule?.everyMs ?? null,
    paused: schedule?.paused ?? false,
    nextAt: schedule === undefined ? null : iso(schedule.nextAt),
    waiting: schedule?.waitingSince !== undefined,
    failures: schedule?.failures ?? 0,
    error: schedule?.error ?? null,
    heldDeletions: asked?.count ?? 0,
    last: last ?? null,
  };
}

function lineOf(name: string, { schedule, last, asked }: SyncState): string {
  const parts: string[] = [];
  if (last?.state === 'running') {
    const of = last.total === undefined ? '' : ` of ${last.total}`;
    parts.push(`syncing, ${last.seen}${of} records read, ${last.inserted} new, ${last.updated} changed`);
  } else if (last?.state === 'completed') {
    parts.push(`synced: ${last.inserted} new, ${last.updated} changed, ${last.deleted} gone`);
  } else if (last !== undefined) parts.push('not synced completely');
  if (schedule?.waitingSince !== undefined) parts.push('begins soon');
  if (schedule?.error !== undefined) parts.push(schedule.error.message);
  if (asked !== undefined) {
    parts.push(`${asked.count} records are gone at once: --confirm-deletions or --keep`);
  }
  if (schedule?.paused === true) parts.push('paused');
  else if (schedule !== undefined && last?.state !== 'running') parts.push(`next ${iso(schedule.nextAt)}`);
  return `${shownLine(name)}: ${shownLine(parts.length === 0 ? 'not synced yet' : parts.join('; '))}`;
}

/** Until Ctrl-C. As JSON: an object a line. */
export async function watchSyncs(
  { output, clock }: Session,
  { ingestion, org }: Rooms,
  { chosen, nameOf }: { chosen: readonly Connection[]; nameOf: (one: Connection) => string },
): Promise<void> {
  const { signal, end } = interruption();
  const said = new Map<string, string>();
  const ids = chosen.map(({ id }) => id);
  while (!signal.aborted) {
    for (const state of await ingestion.states(org, ids)) {
      const connection = chosen.find(({ id }) => id === state.connectionId);
      if (connection === undefined) continue;
      const line = output.json
        ? JSON.stringify(toldOf(connection, state))
        : lineOf(nameOf(connection), state);
      if (said.get(connection.id) === line) continue;
      said.set(connection.id, line);
      output.line(line);
    }
    // Ctrl-C ends the wait, and with it the command.
    await clock.sleep(lookEveryMs, { signal }).catch(() => undefined);
  }
  end();
}
