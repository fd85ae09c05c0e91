// How long the event loop of a serving process stands still while an agent asks over /mcp without a pause and
// mail is imported: by `drawbridge import` beside it, then in the serving process itself (as a sync stores).
// Measured inside that process, with one beside it that only waits: what the machine adds to every event loop.
//
//   npm run bench:serving [-- --messages 5000 --chunks 10000 --runs 3]
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { generateQuestions } from './corpus.ts';
import { median, percentile } from './figures.ts';
import { generateMbox } from './mbox-generator.ts';
import { callTool } from './mcp-call.ts';
import type { Order, Reply, ServingTask } from './serving-process.ts';
import type { StandStill } from './stand-still.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '5000' },
    chunks: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '3' },
  },
});
const messages = Number(values.messages);
const questions = generateQuestions(7, 500);
const root = join(import.meta.dirname, '..');

function start(task: ServingTask): ChildProcess {
  return fork(join(root, 'bench/serving-process.ts'), [JSON.stringify(task)]);
}

/** The process's next word. @throws Error when it ends instead */
async function reply<Expected extends Reply>(child: ChildProcess): Promise<Expected> {
  const [said] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`ended with ${code}`);
    }),
  ]);
  return said as Expected;
}

async function tell<Expected extends Reply>(child: ChildProcess, order: Order): Promise<Expected> {
  const said = reply<Expected>(child);
  child.send(order);
  return said;
}

async function end(child: ChildProcess): Promise<StandStill> {
  const exited = once(child, 'exit');
  const { standStill } = await tell<{ standStill: StandStill }>(child, { do: 'end' });
  await exited;
  return standStill;
}

/** The command, in a process of its own. */
async function importBeside(home: string, mbox: string): Promise<void> {
  const env = { PATH: process.env['PATH'], DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'error' };
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'import', '--json', mbox], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`import ended with ${code}`);
}

async function measure(where: 'beside' | 'inside', folder: string, mbox: string) {
  const home = await mkdtemp(join(folder, 'home-'));
  const serving = start({ home, serves: true, chunks: Number(values.chunks) });
  const witness = start({ home, serves: false, chunks: 0 });
  const [{ ready }] = await Promise.all([
    reply<{ ready: { port: string; key: string } }>(serving),
    reply(witness),
  ]);
  const pool = new Pool(`http://127.0.0.1:${ready.port}`, { connections: 1 });
  const ask = (n: number) =>
    callTool(pool, {
      name: 'ime-search',
      args: { question: questions[n % questions.length] ?? '' },
      key: ready.key,
    });
  for (let n = 0; n < 20; n += 1) await ask(n);

  await Promise.all([tell(serving, { do: 'watch' }), tell(witness, { do: 'watch' })]);
  const began = performance.now();
  let importing = true;
  const times: number[] = [];
  const asking = (async () => {
    for (let n = 0; importing; n += 1) {
      const asked = performance.now();
      await ask(n);
      times.push(performance.now() - asked);
    }
  })();
  await (where === 'inside' ? tell(serving, { do: 'import', path: mbox }) : importBeside(home, mbox));
  importing = false;
  await asking;
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  const [standStill, ofAProcessThatOnlyWaits] = await Promise.all([end(serving), end(witness)]);
  return {
    import: where,
    messagesPerSecond: Math.round(messages / seconds),
    questionsAsked: times.length,
    questionMs: { p50: Math.round(median(times)), p99: Math.round(percentile(times, 0.99)) },
    standStill,
    longestOfAProcessThatOnlyWaitsMs: ofAProcessThatOnlyWaits.longest,
    load: loadavg()[0],
  };
}

const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-serving-'));
try {
  const mbox = join(folder, 'mail.mbox');
  await generateMbox(mbox, messages);
  for (const where of ['beside', 'inside'] as const) {
    const runs = [];
    for (let run = 0; run < Number(values.runs); run += 1) {
      const figures = await measure(where, folder, mbox);
      runs.push(figures);
      console.log(JSON.stringify(figures));
    }
    const spread = (times: number[]) =>
      `${median(times)} ms (${Math.min(...times)} to ${Math.max(...times)})`;
    const still = runs.map((run) => run.standStill);
    console.log(
      `import ${where}, median of ${runs.length} runs: the longest stand-still ${spread(still.map((one) => one.longest))}  (goal: ≤ 100 ms)
  of a process that only waits ${spread(runs.map((run) => run.longestOfAProcessThatOnlyWaitsMs))}
  without the wait for a processor ${spread(still.map((one) => one.longestOwn))}; own work on end ${spread(still.map((one) => one.longestRan))}`,
    );
  }
  console.log(
    JSON.stringify({ messages, chunks: values.chunks, cores: cpus().length, node: process.version }),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
