// Runs somebody else's recurrence rule for a moment and no longer: a rule that matches no day at all keeps the
// iCalendar library searching for ever.
import { runInNewContext } from 'node:vm';
import ICAL from 'ical.js';

/** How often work is begun again that got no processor, each time with twice as long. */
const mostTries = 6;

/** Integer ms of processor time of this thread; of the whole process where Node does not tell them apart (before 23.9). */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Runs `work` to its end, or stops it after `ms`. Synchronous. The time is the processor's: on a crowded machine work
 * that got too little of it is stopped and begun again, so it must begin anew by itself.
 * @returns what `work` returned; undefined where it was stopped. Errors of `work` pass through.
 */
export function runBounded<Result>(
  work: () => Result,
  ms: number,
  spent: () => number = processorMs,
): { result: Result } | undefined {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const before = spent();
    try {
      // The engine's own time limit for scripts; the function still runs where it was written.
      return { result: runInNewContext('work()', { work }, { timeout: ms * 2 ** tries }) as Result };
    } catch (error) {
      if (!isTimeout(error)) throw error;
      // A little less: the clock that stops it is not the one that counts.
      if (spent() - before >= ms * 0.8) return undefined;
    }
  }
  return undefined;
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

const longestDays = 3660;

/** Takes out of a calendar's events each DURATION beyond ten years: the library walks through it day by day. */
export function dropEndlessDurations(calendar: ICAL.Component): void {
  const events = calendar.name === 'vevent' ? [calendar] : calendar.getAllSubcomponents('vevent');
  for (const event of events) {
    const duration = event.getFirstPropertyValue('duration');
    if (duration === null || duration === undefined) continue;
    const days = duration instanceof ICAL.Duration ? Math.abs(duration.toSeconds()) / 86_400 : Number.NaN;
    if (!(days <= longestDays)) event.removeAllProperties('duration');
  }
}
