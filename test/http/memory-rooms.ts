// What the pages of memory stand on where there is no memory: a record of sources, and what the org says of itself.
import { createAudit } from '../../src/audit/create.ts';
import type { Clock } from '../../src/clock.ts';
import type { Connection, Connections } from '../../src/connections/connections.ts';
import { createIngestion, type Ingestion } from '../../src/jobs/ingestion.ts';
import type { Log } from '../../src/log.ts';
import { type ClientBook, createClientBook } from '../../src/memory/clients/book.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { type Brain, createBrain } from '../../src/memory/receipts/brain.ts';
import { createReceipts, type Receipts } from '../../src/memory/receipts/receipts.ts';
import type { Store } from '../../src/store/store.ts';

export function memoryRooms(given: {
  clock: Clock;
  log: Log;
  store: Store;
  connections: Pick<Connections, 'list' | 'get'>;
}): { receipts: Receipts; brain: Brain; clientBook: ClientBook; ingestion: Ingestion } {
  const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
  return {
    // Nothing is synced: it is asked for, and stands in the queue.
    ingestion: createIngestion({
      ...given,
      connections: given.connections as Connections,
      memory: {} as Memory,
      audit,
    }),
    receipts: createReceipts(given),
    clientBook: createClientBook({ audit }),
    brain: createBrain({
      memory: {
        ingest: async () => ({ inserted: 0, updated: 0, unchanged: 0, deleted: 0, rejected: [] }),
      },
      connections: { own: async () => ({ id: 'con_b' }) as Connection },
      audit,
    }),
  };
}
