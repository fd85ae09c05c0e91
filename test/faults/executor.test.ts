// An approved action has at most one effect and never hangs, though the process that runs it dies at any
// step, the provider drops the line, or the disk is full. The long form is executor-kills.ts.
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  approved,
  faultsOf,
  type Ground,
  openGround,
  recoverFrom,
  runExecutor,
  type Step,
  steps,
} from './executor-round.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

const expected: Partial<Record<Step, { end: string; effects: number; found?: boolean }>> = {
  'before-claim': { end: 'completed', effects: 1, found: false },
  'after-claim': { end: 'completed', effects: 1, found: false },
  'after-verify': { end: 'completed', effects: 1, found: false },
  'before-sending-mark': { end: 'completed', effects: 1, found: false },
  'after-sending-mark': { end: 'failed', effects: 0 },
  'before-effect': { end: 'failed', effects: 0 },
  'before-answer': { end: 'completed', effects: 1, found: true },
  'before-outcome': { end: 'completed', effects: 1, found: true },
  'after-outcome': { end: 'completed', effects: 1, found: false },
};

describe('kill -9', () => {
  test.each(steps)('at %s: at most one effect, and nothing hangs beyond its lease', async (step) => {
    for (let i = 0; i < 2; i += 1) {
      const action = await approved(ground);
      const signal = await runExecutor(ground, step);
      if (step !== 'any-moment') expect(signal).toBe('SIGKILL');
      const found = await recoverFrom(ground, action);
      expect(faultsOf(found)).toEqual([]);
      expect(found).toMatchObject(expected[step] ?? {});
    }
  });

  test('three executors in three processes cause one effect an action', async () => {
    const actions = [];
    for (let i = 0; i < 4; i += 1) actions.push(await approved(ground));
    await Promise.all([1, 2, 3].map(() => runExecutor(ground, 'never')));
    for (const action of actions) {
      expect(await recoverFrom(ground, action)).toMatchObject({ left: 'completed', effects: 1 });
    }
  });
});

describe('a provider that does it', () => {
  test.each(['drop', 'error'] as const)(
    'and then gives no clear answer (%s): unknown, found by look-up, sent once',
    async (after) => {
      ground.counter.after = after;
      const action = await approved(ground);
      await ground.queue.runDue(ground.org);
      expect((await ground.queue.get(ground.org, action.id)).status).toBe('unknown');
      ground.counter.after = 'answer';
      expect(await recoverFrom(ground, action)).toMatchObject({ end: 'completed', found: true, effects: 1 });
    },
  );
});

// A limit on the size of files makes each write fail that grows the write-ahead log beyond it, as a full
// disk does. The log of a new database only grows, so the limit meets one write after the other.
test.skipIf(process.platform === 'win32')(
  'a disk that is full, however early: nothing is sent whose record could not be written',
  async () => {
    const fresh = await openGround();
    const left = new Set<string>();
    try {
      const log = `${fresh.org.file ?? ''}-wal`;
      for (const spare of [0, 40, 80, 120, 160, 240, 4_000]) {
        const action = await approved(fresh);
        const before = fresh.counter.effects.size;
        await runExecutor(fresh, 'never', Math.ceil(statSync(log).size / 512) + spare);
        const row = await fresh.org.read((db) =>
          db
            .selectFrom('action_queue')
            .select(['status', 'sending_at'])
            .where('id', '=', action.id)
            .executeTakeFirstOrThrow(),
        );
        left.add(row.status);
        if (fresh.counter.effects.size > before) expect(row.sending_at).not.toBeNull();
        const found = await recoverFrom(fresh, action);
        expect(faultsOf({ ...found, afterLease: found.end })).toEqual([]);
      }
    } finally {
      await fresh.close();
    }
    // The limit met the action before its end, and let it through when there was room.
    expect([...left]).toEqual(expect.arrayContaining(['approved', 'completed']));
  },
);
