// One executor in a process of its own. It runs what is due once, and ends itself by SIGKILL at the step it
// is told. Started with one JSON argument: { home, orgId, port, step }.
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createQueue } from '../../src/queue/create.ts';
import { openStore } from '../../src/store/open.ts';
import { counted } from './executor-provider.ts';

interface Task {
  home: string;
  orgId: string;
  port: number;
  step: string;
}

const task = JSON.parse(process.argv[2] ?? '{}') as Task;

function dieAt(step: string): void {
  if (step === task.step) process.kill(process.pid, 'SIGKILL');
}

const log = createLog({ level: 'silent' });
const store = await openStore({
  config: { home: task.home, databaseUrl: undefined },
  clock: systemClock,
  log,
});
const org = await store.forOrg(task.orgId);
const queue = createQueue({
  connections: counted(task.port, dieAt),
  clock: systemClock,
  log,
  actionTtlMs: 3_600_000,
  holdMs: 0,
  checkpoint: dieAt,
});
process.stdout.write('running\n');
await queue.runDue(org);
await store.close();
