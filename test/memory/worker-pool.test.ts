// A worker that nobody needs any more does not stay, and is there again when it is needed.
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import type { ParseOutcome } from '../../src/memory/parse.ts';
import type { BackgroundTask } from '../../src/memory/reader.ts';
import { createWorkerPool } from '../../src/memory/worker-pool.ts';
import { mail } from './ground.ts';

const idleMs = 60_000;

/** A clock on which who sleeps wakes when it is put forward. */
function handClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  let sleepers: { at: number; wake(): void }[] = [];
  return {
    now: () => now,
    elapsed: () => now,
    sleep: (ms, { signal } = {}) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: now + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
    async advance(ms) {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a worker without work for a while is ended, and the next task has a new one', async () => {
  const clock = handClock();
  const started: Worker[] = [];
  const note = (worker: Worker) => started.push(worker);
  process.on('worker', note);
  const pool = createWorkerPool<BackgroundTask, ParseOutcome[]>({
    entry: 'parse-worker',
    size: 1,
    timeoutMs: 300_000,
    idleMs,
    clock,
    log: createLog({ level: 'silent' }),
  });
  const read = async (subject: string) => {
    const [outcome] = await pool.run({ records: [mail({ subject, body: 'The roof is sound.' })] });
    return outcome;
  };
  expect(await read('one')).toMatchObject({ parsed: { title: 'one' } });
  await clock.advance(idleMs - 1);
  // Within the time it is the same one, and the time begins anew.
  expect(await read('two')).toMatchObject({ parsed: { title: 'two' } });
  await clock.advance(idleMs - 1);
  expect(started).toHaveLength(1);
  expect(started[0]?.threadId).toBeGreaterThan(0);
  const ended = once(started[0] as Worker, 'exit');
  await clock.advance(1);
  await ended;
  expect(await read('three')).toMatchObject({ parsed: { title: 'three' } });
  expect(started).toHaveLength(2);
  process.off('worker', note);
  await pool.close();
});
