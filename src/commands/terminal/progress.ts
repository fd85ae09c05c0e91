// A progress bar on a terminal, and nothing elsewhere.
import type { Clock } from '../../clock.ts';
import type { Output } from './output.ts';
import { shownLine } from './shown.ts';

export interface Progress {
  /** `done` of `total` in any unit; an unknown total draws no bar. `words` stand behind it. */
  show(done: number, total: number | undefined, words: string): void;
  end(): void;
}

const drawEveryMs = 80;
const barWidth = 24;

export function createProgress(output: Output, clock: Clock): Progress {
  let last = Number.NEGATIVE_INFINITY;
  return {
    show(done, total, words) {
      if (clock.elapsed() - last < drawEveryMs) return;
      last = clock.elapsed();
      if (total === undefined || total <= 0) {
        output.draw(shownLine(words));
        return;
      }
      const part = Math.min(1, done / total);
      const full = Math.round(part * barWidth);
      const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
      output.draw(`${bar} ${String(Math.floor(part * 100)).padStart(3)} % ${shownLine(words)}`);
    },
    end: () => output.draw(''),
  };
}

/** 1536 → `1.5 kB` (units of 1000). */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
