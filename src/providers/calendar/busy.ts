// Busy times of several calendars as one list.
import type { FreeBusyAnswer } from '../capabilities.ts';

export type Busy = FreeBusyAnswer['busy'][number];

/** Sorted, and joined where they touch; a joined time carries the titles of its parts. */
export function merged(busy: Busy[]): Busy[] {
  const result: Busy[] = [];
  for (const next of [...busy].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const last = result.at(-1);
    if (last === undefined || next.start > last.end) {
      result.push({ ...next });
      continue;
    }
    last.end = Math.max(last.end, next.end);
    const titles = [last.title, next.title].filter((title) => title !== undefined);
    if (titles.length > 0) last.title = [...new Set(titles)].join('; ').slice(0, 300);
  }
  return result;
}
