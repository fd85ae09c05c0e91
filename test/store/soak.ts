// The long form of processes.test.ts: node test/store/soak.ts [--processes 8] [--seconds 60]. Prints what was
// done and how long event loops stood still; ends with 1 when anything was lost or failed.
import { parseArgs } from 'node:util';
import { runCrowd, total } from './crowd.ts';
import { databases } from './databases.ts';

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
const database = databases.find((known) => known.name === values.database);
if (database === undefined || !(processes > 0) || !(seconds > 0))
  throw new Error('see the head of this file');

const opened = await database.open();
const place = { home: opened.home, url: opened.url };
const { workers, witness, kept } = await runCrowd(opened.store, place, { processes, seconds });
await opened.close();

const failures = workers.flatMap((worker) => worker.failures);
const written = total(workers, 'written');
const claimed = total(workers, 'claimed');
const lost = written - kept.rows + (total(workers, 'counted') - kept.counter) + (claimed - kept.claims);
const longest = Math.max(...workers.map((worker) => worker.longestBlock));
const report = {
  database: database.name,
  processes,
  seconds,
  written,
  claimed,
  refusedClaims: total(workers, 'refused'),
  reads: total(workers, 'reads'),
  fewestWrittenByOne: Math.min(...workers.map((worker) => worker.written)),
  lost,
  failures: failures.length,
  longestBlockMs: longest,
  p99BlockMs: Math.max(...workers.map((worker) => worker.p99Block)),
  longestBlockOfAProcessThatOnlyWaitsMs: witness.longestBlock,
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
for (const failure of new Set(failures)) process.stderr.write(`${failure}\n`);
process.exitCode = lost === 0 && failures.length === 0 ? 0 : 1;
