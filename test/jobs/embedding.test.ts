// A server takes up what another process chose, without being told.
import { expect, test } from 'vitest';
import { startEmbedding } from '../../src/jobs/embedding.ts';
import { createLog } from '../../src/log.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { manualClock } from '../egress/manual-clock.ts';

test('every org is looked after every 15 seconds, and after the stop none is', async () => {
  const clock = manualClock();
  const settled: string[] = [];
  let failing = false;
  const org = (orgId: string) => ({ orgId }) as OrgStore;
  const running = startEmbedding({
    orgs: async () => {
      if (failing) throw new Error('the store is away');
      return [org('a'), org('b')];
    },
    embedding: { settle: ({ orgId }) => void settled.push(orgId) },
    clock,
    log: createLog({ level: 'silent' }),
  });
  await clock.asleep((ms) => ms === 15_000);
  clock.advance(15_000);
  await clock.asleep((ms) => ms === 15_000);
  expect(settled).toEqual(['a', 'b']);
  failing = true;
  clock.advance(15_000);
  await clock.asleep((ms) => ms === 15_000);
  failing = false;
  clock.advance(15_000);
  await clock.asleep((ms) => ms === 15_000);
  expect(settled).toEqual(['a', 'b', 'a', 'b']);
  await running.stop();
  clock.advance(60_000);
  expect(settled.length).toBe(4);
});
