// A server's room for young objects stays small, however much it loads.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Bytes of room for young objects in a process that has loaded much. */
function nurseryOf(first: string): number {
  const code = `${first}
    import { getHeapSpaceStatistics } from 'node:v8';
    const loaded = [];
    for (let i = 0; i < 1_000_000; i += 1) loaded.push({ i });
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(loaded.length > 0 ? space.space_size : 0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    env: {},
  });
  if (stdout === '') throw new Error(stderr);
  return Number(stdout);
}

test('what a process loads does not widen its room for young objects', () => {
  const url = new URL('../src/small-nursery.ts', import.meta.url).href;
  const small = nurseryOf(`import { keepNurserySmall } from '${url}'; keepNurserySmall();`);
  expect(small).toBeLessThanOrEqual(4 * 1024 * 1024);
  expect(nurseryOf('')).toBeGreaterThan(small);
});
