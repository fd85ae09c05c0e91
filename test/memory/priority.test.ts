// No thread of a process steps back: others may wait for what it holds (docs/decisions/0024).
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createReader } from '../../src/memory/reader.ts';
import { mail } from './ground.ts';

/** The nice value of each thread of this process (field 19 of /proc/PID/stat). */
function niceValues(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

test.skipIf(process.platform !== 'linux')(
  'the thread that reads mail keeps the priority of all',
  async () => {
    const before = new Set(niceValues());
    const reader = createReader({ clock: systemClock, log: createLog({ level: 'silent' }) });
    try {
      const outcomes = await reader.read(
        Array.from({ length: 8 }, (_, n) => mail({ id: `m${n}@x.example`, body: `Viewing number ${n}` })),
      );
      expect(outcomes.every((outcome) => 'parsed' in outcome)).toBe(true);
      expect(new Set(niceValues())).toEqual(before);
    } finally {
      await reader.close();
    }
  },
);
