// Time that runs faster, and the same in every process that is told when it began: leases, back-offs and
// look-ups keep their lengths towards one another, and a run does not take hours.
import { type Clock, systemClock } from '../../src/clock.ts';
import type { OrgStore } from '../../src/store/store.ts';

export interface Pace {
  /** Wall-clock milliseconds at which it began; until then both clocks are one. */
  from: number;
  times: number;
}

export function fastClock({ from, times }: Pace): Clock {
  return {
    now: () => Math.round(from + (systemClock.now() - from) * times),
    elapsed: () => systemClock.elapsed() * times,
    sleep: (ms, options) => systemClock.sleep(ms / times, options),
  };
}

/** The org with that clock for its database's. */
export function paced(org: OrgStore, clock: Clock): OrgStore {
  return { ...org, now: async () => clock.now() };
}
