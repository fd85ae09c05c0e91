// SQLite answers at once, so a long run of queries would never let go of the event loop: it is given a turn
// every few milliseconds.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';

const longestRunMs = 15;
// One event loop a process, however many databases are open.
let lastTurn = 0;

/** Lets timers and input through when the queries have run for long enough; undefined while they have not. */
export function takeTurns(clock: Clock): Promise<void> | undefined {
  const run = clock.elapsed() - lastTurn;
  // Below nought: another clock's turn, which says nothing.
  return run >= 0 && run < longestRunMs ? undefined : letThrough(clock);
}

async function letThrough(clock: Clock): Promise<void> {
  await nextTurn();
  lastTurn = clock.elapsed();
}
