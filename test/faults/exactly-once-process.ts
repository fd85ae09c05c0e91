// One executor in a process of its own, which runs what is due until it is killed; and which kills itself,
// now and then, at one of the steps that an action passes. Started with one JSON argument, ExecutorTask.
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import { queueOf } from './exactly-once-queue.ts';
import { counted } from './executor-provider.ts';
import { fastClock, type Pace, paced } from './fast-clock.ts';
import { seeded } from './seeded.ts';

export interface ExecutorTask {
  home: string;
  orgId: string;
  port: number;
  pace: Pace;
  seed: number;
  /** Of each step, the chance to die there. */
  deaths: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as ExecutorTask;
const chance = seeded(task.seed);

function perhapsDie(): void {
  if (chance() < task.deaths) process.kill(process.pid, 'SIGKILL');
}

const clock = fastClock(task.pace);
const store = await openStore({
  config: { home: task.home, databaseUrl: undefined },
  clock: systemClock,
  log: createLog({ level: 'silent' }),
});
const org = paced(await store.forOrg(task.orgId), clock);
const queue = queueOf({ clock, connections: counted(task.port, perhapsDie), checkpoint: perhapsDie });
queue.startExecutor(async () => [org]);
process.send?.('at work');
process.on('disconnect', () => process.exit());
