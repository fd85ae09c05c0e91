// Another process holds the file: wait without blocking the event loop, in jittered steps, and give up in
// words that a person understands.
import { randomInt } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';

const giveUpAfterMs = 10_000;
const shortestMs = 1;
const longestMs = 40;

// Primary result codes: https://www.sqlite.org/rescode.html (the low byte of an extended code).
const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteIoError = 10;
const sqliteReadOnly = 8;
const sqliteCannotOpen = 14;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}

/**
 * Runs `attempt` until the database is not busy.
 * @throws DrawbridgeError `internal`, worth trying later, when it is busy for 10 seconds on end.
 */
export async function whenFree<Result>(clock: Clock, attempt: () => Result): Promise<Result> {
  const began = clock.elapsed();
  let longest = shortestMs;
  for (;;) {
    try {
      return attempt();
    } catch (thrown) {
      if (resultCode(thrown) !== sqliteBusy) throw thrown;
      if (clock.elapsed() - began >= giveUpAfterMs) {
        throw new DrawbridgeError(
          'internal',
          'The database has been busy for 10 seconds: another Drawbridge process is writing without a pause. Try again.',
          { retry: 'later', retryAfterMs: 1_000, cause: thrown },
        );
      }
    }
    longest = Math.min(longest * 2, longestMs);
    await clock.sleep(randomInt(shortestMs, longest + 1));
  }
}

/**
 * What a failed statement means to a person; anything that is a fault of ours stays as it was thrown.
 * `reading`: the connection was opened to read only.
 */
export function explain(thrown: unknown, file: string, reading = false): unknown {
  switch (resultCode(thrown)) {
    case sqliteFull:
      return stopped(
        `The disk is full, or the database has reached its limit: nothing was written to ${file}. Make room and try again.`,
        thrown,
      );
    case sqliteIoError:
      return stopped(`Reading or writing ${file} failed: the disk may be failing or gone.`, thrown);
    case sqliteReadOnly:
      if (reading) return new DrawbridgeError('internal', 'A read may not write.', { cause: thrown });
      return unwritable(file, thrown);
    case sqliteCannotOpen:
      return unwritable(file, thrown);
    case sqliteCorrupt:
    case sqliteNotADatabase:
      return new DrawbridgeError('internal', `${file} is damaged. Restore it from a backup.`, {
        cause: thrown,
      });
    default:
      return thrown;
  }
}

function stopped(message: string, cause: unknown): DrawbridgeError {
  return new DrawbridgeError('internal', message, { retry: 'later', cause });
}

function unwritable(file: string, cause: unknown): DrawbridgeError {
  return stopped(`${file} cannot be opened for writing. Check who owns it and its mode (0600).`, cause);
}
