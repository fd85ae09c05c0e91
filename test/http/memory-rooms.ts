// What the pages of memory stand on where there is no memory: a record of sources, and what the org says of itself.
import { createAudit } from '../../src/audit/create.ts';
import type { Clock } from '../../src/clock.ts';
import type { Connection } from '../../src/connections/connections.ts';
import type { Log } from '../../src/log.ts';
import { type Brain, createBrain } from '../../src/memory/brain.ts';
import { createReceipts, type Receipts } from '../../src/memory/receipts.ts';

export function memoryRooms(given: { clock: Clock; log: Log }): { receipts: Receipts; brain: Brain } {
  return {
    receipts: createReceipts(given),
    brain: createBrain({
      memory: {
        ingest: async () => ({ inserted: 0, updated: 0, unchanged: 0, deleted: 0, rejected: [] }),
      },
      connections: { own: async () => ({ id: 'con_b' }) as Connection },
      audit: createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] }),
    }),
  };
}
