// The short form of exactly-once.ts; the counts of the full one stand in docs/faults.md.
import { expect, test } from 'vitest';
import { exactlyOnce } from './exactly-once-run.ts';

test('every approved action happens once or says why not, though executors are killed at random and the provider is unclear', async () => {
  const run = await exactlyOnce({
    actions: 30,
    executors: 3,
    seed: 7,
    times: 10,
    killEveryMs: 1_000,
    mostKills: 6,
    deaths: 0.01,
    patienceMs: 220_000,
  });
  expect(run.broken).toEqual([]);
  expect(run).toMatchObject({ approved: 30, doubled: 0, lost: 0 });
  expect(run.completed + run.failed + run.unknown).toBe(30);
  expect(run.kills).toBeGreaterThan(1);
}, 240_000);
