// How long this process's event loop stands still, in which step of the work, and what it waits for meanwhile:
// its own code, a processor that others hold, or the disk.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface StandStill {
  /** Milliseconds, as are all. */
  longest: number;
  p99: number;
  /** The longest that is left without the wait for a processor: own code and the disk. */
  longestOwn: number;
  /** The most that the thread itself ran on end: synchronous work of its own. */
  longestRan: number;
  /** The worst moments, the longest first. */
  worst: { ms: number; step: string; ranMs: number; waitedForProcessorMs: number }[];
}

const tickMs = 5;
const kept = 3;

/** The main thread's time on a processor and in the queue for one, since its start; 0 where no kernel tells. */
function scheduled(): { ran: number; waited: number } {
  try {
    // https://docs.kernel.org/scheduler/sched-stats.html: ns spent on the cpu, ns spent waiting on a runqueue.
    const [ran, waited] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
  } catch {
    // Not Linux: the split is left out, the time itself is not.
    return { ran: 0, waited: 0 };
  }
}

/** Watches until `end` is called. `step` names what the process is at. */
export function watchStandStill(step: () => string): { end(): StandStill } {
  const delay = monitorEventLoopDelay({ resolution: tickMs });
  const worst: StandStill['worst'] = [];
  let longestOwn = 0;
  let longestRan = 0;
  let last = performance.now();
  let before = scheduled();
  const timer = setInterval(() => {
    const now = performance.now();
    const after = scheduled();
    const ms = Math.round(now - last - tickMs);
    longestOwn = Math.max(longestOwn, Math.round(ms - (after.waited - before.waited)));
    longestRan = Math.max(longestRan, Math.round(after.ran - before.ran));
    if (ms > (worst.at(-1)?.ms ?? 0) || worst.length < kept) {
      worst.push({
        ms,
        step: step(),
        ranMs: Math.round(after.ran - before.ran),
        waitedForProcessorMs: Math.round(after.waited - before.waited),
      });
      worst.sort((a, b) => b.ms - a.ms).splice(kept);
    }
    last = now;
    before = after;
  }, tickMs);
  delay.enable();
  return {
    end() {
      delay.disable();
      clearInterval(timer);
      return {
        longest: Math.round(delay.max / 1e6),
        p99: Math.round(delay.percentile(99) / 1e6),
        longestOwn,
        longestRan,
        worst,
      };
    },
  };
}
