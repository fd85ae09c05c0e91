// A table of what calls leave behind: an entry stays while it matters, and a little longer while it is used.
// Bounded by number and by age, except for what may not be lost; there is no timer, each use pays for the sweep.
import type { Clock } from '../clock.ts';

const mostEntries = 1000;
const idleMs = 10 * 60_000;
/** Entries looked at in a use: more than one comes in, so that the table shrinks. */
const sweptAtOnce = 4;

export interface KeptWhile<Entry> {
  /** The entry of that key, made where there is none. */
  get(key: string, make: () => Entry): Entry;
  size(): number;
}

/** `rests`: whether an entry made anew would do the same as this one from now on, and nobody holds it. */
export function createKeptWhile<Entry>(
  clock: Clock,
  rests: (entry: Entry) => boolean,
  { most = mostEntries, oldestMs = idleMs }: { most?: number; oldestMs?: number } = {},
): KeptWhile<Entry> {
  // Maps keep the order of insertion: what was used last, or was looked at and stays, stands last.
  const entries = new Map<string, { entry: Entry; usedAt: number }>();

  function sweep(using: string): void {
    const now = clock.elapsed();
    for (let looked = 0; looked < sweptAtOnce; looked += 1) {
      const [first] = entries;
      if (first === undefined || first[0] === using) return;
      const [key, kept] = first;
      if (entries.size <= most && kept.usedAt + oldestMs > now) return;
      entries.delete(key);
      if (!rests(kept.entry)) entries.set(key, kept);
    }
  }

  return {
    get(key, make) {
      const entry = entries.get(key)?.entry ?? make();
      entries.delete(key);
      entries.set(key, { entry, usedAt: clock.elapsed() });
      sweep(key);
      return entry;
    },
    size: () => entries.size,
  };
}
