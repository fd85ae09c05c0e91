// A clock that jumps is doubted; one that drifts is not.
import { expect, test } from 'vitest';
import { createSteady } from '../../src/queue/steady.ts';
import { jumpingClock } from './world.ts';

test('slow drift is no jump', () => {
  const clock = jumpingClock();
  const steady = createSteady(clock);
  for (let i = 0; i < 100; i += 1) {
    expect(steady.trusts(clock.now())).toBe(true);
    clock.advance(60_000);
    clock.jump(30_000);
  }
});
