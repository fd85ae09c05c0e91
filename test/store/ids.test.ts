// Identifiers sort by when they were made.
import { expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';

test('ids sort in the order in which they were made, also within one millisecond', () => {
  const now = Date.UTC(2026, 10, 22);
  const made = Array.from({ length: 2_000 }, () => newId('act', now));
  expect(made).toEqual(made.toSorted());
  expect(new Set(made.map((id) => id.slice(-12))).size).toBe(made.length);
  expect(made.every((id) => /^act_[0-9a-hjkmnp-tv-z]{26}$/u.test(id))).toBe(true);
  expect(newId('act', now + 1) > newId('act', now)).toBe(true);
});
