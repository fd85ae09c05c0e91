// On one machine with those who ask: reading mail is background work, and an answer is not.
import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
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
  'the thread that reads mail yields the processor, and it alone',
  async () => {
    const below = constants.priority.PRIORITY_BELOW_NORMAL;
    const before = niceValues().filter((nice) => nice === below).length;
    const own = getPriority(0);
    const reader = createReader({ clock: systemClock, log: createLog({ level: 'silent' }) });
    try {
      const outcomes = await reader.read(
        Array.from({ length: 8 }, (_, n) => mail({ id: `m${n}@x.example`, body: `Viewing number ${n}` })),
      );
      expect(outcomes.every((outcome) => 'parsed' in outcome)).toBe(true);
      expect(niceValues().filter((nice) => nice === below).length - before).toBe(1);
      expect(getPriority(0)).toBe(own);
    } finally {
      await reader.close();
    }
  },
);
