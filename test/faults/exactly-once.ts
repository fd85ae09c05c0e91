// Approved actions, executors killed at random, a provider that is hard to understand:
// `npm run faults:exactly-once -- --actions 1000 --executors 8`. Prints the counts, and ends with 1 when a
// promise was broken.
import { parseArgs } from 'node:util';
import { exactlyOnce } from './exactly-once-run.ts';

const { values } = parseArgs({
  options: {
    actions: { type: 'string', default: '1000' },
    executors: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    /** How much faster time goes. */
    times: { type: 'string', default: '10' },
    /** Kills from outside, at most. */
    kills: { type: 'string', default: '200' },
    /** Milliseconds from one kill to the next. */
    'kill-every': { type: 'string', default: '3000' },
    /** Seconds after which what is not done counts as lost. */
    patience: { type: 'string', default: '900' },
  },
});
const count = (name: keyof typeof values): number => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: give a whole number from 1`);
  return number;
};

const run = await exactlyOnce({
  actions: count('actions'),
  executors: count('executors'),
  seed: count('seed'),
  times: count('times'),
  killEveryMs: count('kill-every'),
  mostKills: count('kills'),
  deaths: 0.01,
  patienceMs: count('patience') * 1000,
});
const print = (line: string) => process.stdout.write(`${line}\n`);
print(
  `${run.approved} approved actions, ${count('executors')} executors, ${run.kills} kills, ${(run.ms / 1000).toFixed(1)} s, seed ${count('seed')}`,
);
print(
  `provider: ${Object.entries(run.moods)
    .map(([mood, times]) => `${mood} ${times}`)
    .join(', ')}`,
);
print(`effects ${run.effects}, doubled ${run.doubled}, lost ${run.lost}`);
print(
  `completed ${run.completed} (by look-up ${run.byLookUp}), failed with nothing done ${run.failed}, unknown with evidence ${run.unknown}`,
);
print(
  `record: ${run.auditEntries} entries, ${run.broken.some((one) => one.startsWith('the record')) ? 'broken' : 'whole'}`,
);
for (const fault of run.broken) print(fault);
print(`${run.broken.length} broken promises`);
process.exitCode = run.broken.length === 0 ? 0 : 1;
