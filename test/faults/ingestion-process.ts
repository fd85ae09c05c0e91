// A process of its own that syncs whatever is asked for, until it is killed. Started with one JSON argument,
// IngestionTask; says `idle` when nothing is left to do.
import { systemClock } from '../../src/clock.ts';
import { createIngestion } from '../../src/jobs/ingestion.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import { auditWith, openNotes } from './ingestion-rooms.ts';

export interface IngestionTask {
  home: string;
  orgId: string;
  /** Address of the provider. */
  url: string;
  /** Dies by SIGKILL at this step of the ones that it takes; 0: never. */
  diesAt: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as IngestionTask;
const log = createLog({ level: 'silent' });
let steps = 0;

/** Anything that leaves the process or the transaction is a step at which it may die. */
function step(): void {
  steps += 1;
  if (steps === task.diesAt) process.kill(process.pid, 'SIGKILL');
}

const rooms = await openNotes(task, { log, step });
const memory = createMemory({ clock: systemClock, log });
const org = await rooms.store.forOrg(task.orgId);
const ingestion = createIngestion({ ...rooms, memory, audit: auditWith(), clock: systemClock, log });
const workers = ingestion.start(async () => [rooms.watched(org)], {
  workers: 2,
  times: {
    firstMs: 0,
    pollMs: 50,
    startMs: 1_000,
    visibleMs: 1_000,
    keepMs: 200,
    leaseMs: 600,
    heartbeatMs: 20_000,
    runMs: 60_000,
    waitsAtMostMs: 1_500,
  },
});

process.on('disconnect', () => {
  void workers.stop().then(async () => {
    await memory.close();
    await rooms.close();
  });
});
process.send?.('ready');
