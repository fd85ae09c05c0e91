// The queue as each process of the exactly-once run has it: recorded, without a hold, with no cap.
import { createAudit } from '../../src/audit/create.ts';
import type { Clock } from '../../src/clock.ts';
import type { Connections } from '../../src/connections/connections.ts';
import { createLog } from '../../src/log.ts';
import { createQueue, type QueueOptions } from '../../src/queue/create.ts';
import type { Queue } from '../../src/queue/queue.ts';

const noSeed = new Uint8Array(32);
export const audit = createAudit({ signingSeed: () => noSeed, knownSeeds: () => [noSeed] });

export function queueOf(given: {
  clock: Clock;
  connections: Connections;
  checkpoint?: NonNullable<QueueOptions['checkpoint']>;
}): Queue {
  return createQueue({
    ...given,
    log: createLog({ level: 'silent' }),
    audit,
    actionTtlMs: 24 * 3_600_000,
    holdMs: 0,
    proposalsPerMinute: Number.POSITIVE_INFINITY,
  });
}
