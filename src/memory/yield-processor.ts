// A thread that works in the background lets those that answer have the processor first, where the system lets
// one thread of a process do so.
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * Lowers the priority of the calling thread alone. On Linux a thread has an id and a nice value of its own
 * (https://man7.org/linux/man-pages/man2/setpriority.2.html, "C library/kernel differences"); elsewhere nothing
 * is done.
 * @returns why it could not be done; undefined when it was, or need not be
 */
export function yieldProcessor(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // `PID/task/TID` (https://man7.org/linux/man-pages/man5/proc_pid.5.html); read on this very thread.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
    return undefined;
  } catch (thrown) {
    // No /proc, or a system where nobody may: then all threads are equal, as elsewhere.
    return `the thread keeps its priority: ${String(thrown)}`;
  }
}
