// Syncing in processes that are killed: whichever step they die at, nothing is lost, nothing is there twice, and
// what the runs say they brought adds up.
import { expect, test } from 'vitest';
import { ingestionRound } from './ingestion-round.ts';

const size = { first: 60, added: 15, deleted: 8 };

/** Every second step up to the end of an undisturbed run, in threes; a sync of this size takes some forty. */
const steps = Array.from({ length: 24 }, (_, i) => 1 + i * 2);
const rounds = Array.from({ length: 6 }, (_, i) => steps.slice(i * 4, i * 4 + 4));

test.each(rounds)('killed at steps %i, %i, %i and %i: nothing lost, nothing doubled', async (...dies) => {
  const { found, wanted } = await ingestionRound({ ...size, dies });
  expect(found).toEqual({
    live: wanted,
    doubled: 0,
    inserted: size.first + size.added,
    deleted: size.deleted,
    running: 0,
    messages: 0,
    processes: expect.any(Number),
  });
  // They did die, or this would show nothing.
  expect(found.processes).toBeGreaterThan(2);
});
