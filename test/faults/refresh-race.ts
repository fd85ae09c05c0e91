// 16 processes, one expired token, again and again: `npm run faults:refresh -- --rounds 1000`. Then a token
// endpoint that takes 30 seconds, and processes that die after the rotation. Ends with 1 when a promise broke.
import { parseArgs } from 'node:util';
import { median, percentile } from '../../bench/figures.ts';
import { systemClock } from '../../src/clock.ts';
import { openGround, type Round, round } from './refresh-round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '16' },
    /** Seconds that the slow token endpoint takes; 0 leaves that part out. */
    slow: { type: 'string', default: '30' },
    deaths: { type: 'string', default: '10' },
    /** Of an empty PostgreSQL; default: embedded. */
    database: { type: 'string' },
  },
});
const count = (name: Exclude<keyof typeof values, 'database'>): number => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name}: give a whole number`);
  return number;
};
const rounds = count('rounds');
const processes = count('processes');
const print = (line: string) => process.stdout.write(`${line}\n`);
const faults: string[] = [];

function judge(found: Round, what: string): void {
  if (found.tokenCalls !== 1) faults.push(`${what}: ${found.tokenCalls} token calls`);
  if (found.refused > 0) faults.push(`${what}: the server refused ${found.refused}`);
  if (found.successes !== processes) faults.push(`${what}: ${found.successes} successes`);
  faults.push(...found.errors.map((error) => `${what}: ${error}`));
}

async function race(): Promise<void> {
  const ground = await openGround({ databaseUrl: values.database });
  try {
    const readers = await ground.start(processes);
    const took: number[] = [];
    let calls = 0;
    let successes = 0;
    for (let number = 1; number <= rounds; number += 1) {
      const found = await round(ground, readers, number, number % 2 === 0 ? 'age' : 'refused');
      judge(found, `round ${number}`);
      took.push(found.ms);
      calls += found.tokenCalls;
      successes += found.successes;
      if (number % 100 === 0) print(`  ${number} rounds, ${faults.length} broken promises`);
    }
    print(
      `${rounds} rounds of ${processes} processes: ${calls} token calls, ${successes} successes; until the last had its answer p50 ${median(took)} ms, p99 ${percentile(took, 0.99)} ms`,
    );
    if ((await ground.state()) !== 'ACTIVE') faults.push('the connection is not ACTIVE');
  } finally {
    await ground.close();
  }
}

async function slow(seconds: number): Promise<void> {
  const ground = await openGround();
  try {
    const readers = await ground.start(processes);
    ground.hosts.faults.failNext({ kind: 'hold', until: systemClock.sleep(seconds * 1000) }, '/token');
    const found = await round(ground, readers, 1, 'age');
    judge(found, `a token endpoint of ${seconds} s`);
    print(
      `a token endpoint that takes ${seconds} s: ${found.tokenCalls} token call, ${found.successes} successes after ${found.ms} ms`,
    );
  } finally {
    await ground.close();
  }
}

async function death(graceS: number | undefined): Promise<string> {
  const ground = await openGround({ leaseMs: 4_000, ...(graceS === undefined ? {} : { graceS }) });
  try {
    const [dying] = await ground.start(1, { diesAfterRotation: true });
    const readers = await ground.start(2);
    await ground.expire('age');
    if ((await dying?.read(1)) !== undefined) faults.push('the process was not killed');
    const told = await Promise.all(readers.map((reader) => reader.read(1)));
    const state = await ground.state();
    const calls = ground.refreshes().length;
    if (graceS === undefined && state !== 'EXPIRED') faults.push(`after a death: ${state}`);
    if (graceS !== undefined && told.some((one) => one?.error !== undefined)) {
      faults.push(`after a death with grace: ${told.map((one) => one?.error).join('; ')}`);
    }
    // The dead one's, and one more: nobody asks again for what has ended.
    if (calls !== 2) faults.push(`after a death: ${calls} token calls`);
    return state;
  } finally {
    await ground.close();
  }
}

await race();
if (count('slow') > 0) await slow(count('slow'));
for (const graceS of [undefined, 60]) {
  const ends: Record<string, number> = {};
  for (let i = 0; i < count('deaths'); i += 1) {
    const end = await death(graceS);
    ends[end] = (ends[end] ?? 0) + 1;
  }
  const grace = graceS === undefined ? 'no grace' : `a grace of ${graceS} s`;
  print(`kill -9 after the rotation, before the storing, ${grace}: ${JSON.stringify(ends)}`);
}
for (const fault of faults) print(fault);
print(`${faults.length} broken promises`);
process.exitCode = faults.length === 0 ? 0 : 1;
