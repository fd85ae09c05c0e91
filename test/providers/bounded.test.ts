// The time limit for somebody else's recurrence rules: of processor time, so that a crowded machine loses no event.
import { expect, test } from 'vitest';
import { runBounded } from '../../src/providers/calendar/bounded.ts';

const forEver = (): never => {
  for (;;);
};

test('work that had its time is stopped', () => {
  let begun = 0;
  let spent = 0;
  const work = () => {
    begun += 1;
    spent += 1_000;
    return forEver();
  };
  expect(runBounded(work, 5, () => spent)).toBeUndefined();
  expect(begun).toBe(1);
});

test('work that got no processor is begun again, with what the first try left undone', () => {
  let begun = 0;
  const work = () => {
    begun += 1;
    return begun < 3 ? forEver() : 'done';
  };
  expect(runBounded(work, 5, () => 0)).toEqual({ result: 'done' });
  expect(begun).toBe(3);
});

test('work that never gets any is given up, and its errors pass through', () => {
  let begun = 0;
  const work = () => {
    begun += 1;
    return forEver();
  };
  expect(runBounded(work, 1, () => 0)).toBeUndefined();
  expect(begun).toBe(6);
  expect(() =>
    runBounded(() => {
      throw new RangeError('no such day');
    }, 1_000),
  ).toThrow('no such day');
});
