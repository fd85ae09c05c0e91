// Arrays beside V8's heap do not lie about by the tens of megabytes while an index is read.
import { expect, test } from 'vitest';
import { letGo } from '../../../src/memory/index/let-go.ts';

test('what is let go is memory no more, without any collection', () => {
  const { arrayBuffers } = process.memoryUsage();
  for (let i = 0; i < 40; i += 1) letGo(new Uint8Array(10_000_000).fill(i));
  expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(20_000_000);
});

test('a piece of memory that others share is left to them', () => {
  const one = Buffer.from('one');
  const other = Buffer.from('other');
  letGo(one);
  expect(other.toString()).toBe('other');
});
