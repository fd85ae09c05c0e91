// Runs somebody else's recurrence rule for a moment and no longer: a rule that matches no day at all keeps the
// iCalendar library searching for ever.
import { runInNewContext } from 'node:vm';

/**
 * Runs `work` to its end, or stops it after `ms`. Synchronous; what it wrote into its surroundings stays.
 * @returns whether it ended by itself. Errors of `work` pass through.
 */
export function runBounded(work: () => void, ms: number): boolean {
  try {
    // The engine's own time limit for scripts; the function still runs where it was written.
    runInNewContext('work()', { work }, { timeout: ms });
    return true;
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  }
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
