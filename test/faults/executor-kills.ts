// kill -9 at each named step of the executor, many times each: `npm run faults:executor -- --times 50`.
// Prints a table of what was found, and ends with 1 when a promise was broken.
import { parseArgs } from 'node:util';
import {
  approved,
  faultsOf,
  openGround,
  recoverFrom,
  runExecutor,
  type Step,
  steps,
} from './executor-round.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '50' } } });
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1) throw new Error('--times: give a whole number from 1');

const print = (line: string) => process.stdout.write(`${line}\n`);

async function rounds(step: Step): Promise<string[]> {
  const ground = await openGround();
  const count = { killed: 0, completed: 0, found: 0, failed: 0, effects: 0 };
  const faults: string[] = [];
  try {
    for (let i = 0; i < times; i += 1) {
      const action = await approved(ground);
      const signal = await runExecutor(ground, step);
      if (signal === 'SIGKILL') count.killed += 1;
      else if (step !== 'any-moment') faults.push(`${step}: the process was not killed`);
      const found = await recoverFrom(ground, action);
      faults.push(...faultsOf(found).map((fault) => `${step}: ${fault}`));
      if (found.end === 'completed') count.completed += 1;
      if (found.end === 'failed') count.failed += 1;
      if (found.found) count.found += 1;
      count.effects += found.effects;
    }
  } finally {
    await ground.close();
  }
  print(
    `| ${step} | ${times} | ${count.killed} | ${count.effects} | ${count.completed} (${count.found}) | ${count.failed} | ${faults.length} |`,
  );
  return faults;
}

print('| step | runs | killed | effects | completed (by look-up) | failed, nothing sent | broken promises |');
print('|---|---|---|---|---|---|---|');
const faults: string[] = [];
for (const step of steps) faults.push(...(await rounds(step)));
for (const fault of faults) print(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
