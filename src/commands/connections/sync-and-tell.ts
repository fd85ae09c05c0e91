// Syncs connections one after the other, with progress on the way, and tells what came of each.
import type { Clock } from '../../clock.ts';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { syncConnection } from '../../jobs/sync.ts';
import type { Rooms } from '../../rooms.ts';
import { interruption, type Session } from '../command.ts';
import { createProgress } from '../terminal/progress.ts';
import { shownLine } from '../terminal/shown.ts';

export type SyncTold = { connectionId: string; label: string } & (
  | {
      inserted: number;
      updated: number;
      deleted: number;
      unchanged: number;
      rejected: number;
      /** Gone at the provider, and kept until a person decides. */
      held: number;
    }
  | { error: { code: string; message: string } }
);

const lookAgainMs = 500;
const patienceMs = 600_000;

/**
 * Runs a sync once nobody else syncs the account: what was connected just now may be taken up by a server, or by
 * this very process, before the command comes to it.
 */
export async function whenFree<Result>(clock: Clock, sync: () => Promise<Result>): Promise<Result> {
  for (const begun = clock.elapsed(); ; ) {
    try {
      return await sync();
    } catch (thrown) {
      if (toDrawbridgeError(thrown).code !== 'conflict' || clock.elapsed() - begun > patienceMs) throw thrown;
      await clock.sleep(lookAgainMs);
    }
  }
}

const stopped = new DrawbridgeError('internal', 'Stopped. The next sync goes on from here.');

export async function syncAndTell(
  session: Session,
  rooms: Rooms,
  chosen: readonly Connection[],
  {
    full = false,
    isNew = false,
    nameOf = (one) => one.label,
  }: { full?: boolean; isNew?: boolean; nameOf?: (one: Connection) => string } = {},
): Promise<SyncTold[]> {
  const { output, clock } = session;
  const told: SyncTold[] = [];
  const { signal, end } = interruption();
  for (const connection of chosen) {
    if (signal.aborted) break;
    const { id: connectionId, label } = connection;
    const name = nameOf(connection);
    const progress = createProgress(output, clock);
    try {
      const { org, connections, memory, log } = rooms;
      const sync = () =>
        syncConnection({
          org,
          connection,
          connections,
          memory,
          clock,
          log,
          signal,
          full,
          onProgress: ({ seen, remaining, feed }) =>
            progress.show(
              seen,
              remaining === undefined ? undefined : seen + remaining,
              `${name}: ${seen} records of ${feed}${remaining === undefined ? '' : `, ${remaining} to come`}`,
            ),
        });
      const result = await (isNew ? whenFree(clock, sync) : sync());
      told.push({ connectionId, label, ...result });
      if (!output.json) {
        output.line(
          `${shownLine(name)}: ${result.inserted} new, ${result.updated} changed, ${result.deleted} gone.`,
        );
        if (result.held > 0) {
          output.aside(
            `${output.styleAside('yellow', `${result.held} records are gone there at once.`)} Nothing was deleted here: drawbridge sync ${connectionId} --confirm-deletions, or --keep.`,
          );
        }
      }
    } catch (thrown) {
      const { code, message } = signal.aborted ? stopped : toDrawbridgeError(thrown);
      rooms.log.debug({ err: thrown, connectionId }, 'sync failed');
      told.push({ connectionId, label, error: { code, message } });
      process.exitCode = 1;
      if (!output.json)
        output.aside(`${output.styleAside('red', `${shownLine(name)}:`)} ${shownLine(message)}`);
    } finally {
      progress.end();
    }
  }
  end();
  return told;
}
