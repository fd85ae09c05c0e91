// Arrays beside V8's heap do not lie about by the tens of megabytes while an index is read.
import { expect, test } from 'vitest';
import { leaveLying } from '../../src/memory/index/left-lying.ts';

test('what reading an index leaves lying is collected long before V8 would', () => {
  const lie = (times: number) => {
    for (let i = 0; i < times; i += 1) new Uint8Array(1_000_000).fill(i);
  };
  const before = process.memoryUsage().arrayBuffers;
  lie(40);
  // A collection frees what the one before has found.
  leaveLying(40_000_000);
  leaveLying(40_000_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
});
