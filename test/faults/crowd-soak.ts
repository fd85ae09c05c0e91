// The long form of crowd.test.ts: npm run soak:store -- [--processes 8] [--seconds 60] [--database SQLite].
// Prints what was done and how long event loops stood still; ends with 1 when anything was lost or failed.
import { parseArgs } from 'node:util';
import { databases } from '../store/databases.ts';
import { runCrowd } from './crowd.ts';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '60' },
    /** SQLite, or PostgreSQL where TEST_DATABASE_URL is set. */
    database: { type: 'string', default: 'SQLite' },
  },
});
const processes = Number(values.processes);
const seconds = Number(values.seconds);
const database = databases.find((known) => known.name === values.database && known.name !== 'PGlite');
if (database === undefined || !(processes > 0) || !(seconds > 0))
  throw new Error('see the head of this file');

const opened = await database.open();
const { workers, witness, ...kept } = await runCrowd(opened, { processes, seconds });
await opened.close();

const total = (of: 'ingested' | 'claimed' | 'refused' | 'searches') =>
  workers.reduce((sum, worker) => sum + worker[of], 0);
const errors: Record<string, number> = {};
for (const worker of workers)
  for (const [message, times] of Object.entries(worker.errors))
    errors[message] = (errors[message] ?? 0) + times;
const missed = workers.flatMap((worker) => worker.missed);
const report = {
  database: database.name,
  processes,
  seconds,
  mailsIngested: total('ingested'),
  fewestIngestedByOne: Math.min(...workers.map((worker) => worker.ingested)),
  claimed: total('claimed'),
  claimsRefused: total('refused'),
  searches: total('searches'),
  missed,
  ...kept,
  errors,
  standStill: {
    longestMs: Math.max(...workers.map((worker) => worker.standStill.longest)),
    longestOfEachMs: workers.map((worker) => worker.standStill.longest),
    p99Ms: Math.max(...workers.map((worker) => worker.standStill.p99)),
    longestWithoutTheWaitForAProcessorMs: Math.max(...workers.map((worker) => worker.standStill.longestOwn)),
    ofAProcessThatOnlyWaitsMs: witness.standStill.longest,
    worst: workers
      .flatMap((worker) => worker.standStill.worst)
      .sort((a, b) => b.ms - a.ms)
      .slice(0, 8),
  },
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
const broken = [...missed, ...kept.lost, ...kept.notFoundAtTheEnd, ...Object.keys(errors)];
process.exitCode = broken.length === 0 ? 0 : 1;
