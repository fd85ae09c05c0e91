// Import, measured: messages a second, peak resident memory, commit times and the longest stand-still of
// the event loop, beside what parsing the same mails alone costs on one thread.
//
//   node bench/import.ts [--messages 10000]
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs, promisify } from 'node:util';
import PostalMime from 'postal-mime';
import { loadConfig } from '../src/config.ts';
import { importPaths } from '../src/jobs/import/import-paths.ts';
import { keepHeapSmall } from '../src/jobs/import/small-heap.ts';
import { openRooms } from '../src/rooms.ts';
import type { OrgStore } from '../src/store/store.ts';
import { generateMbox } from './mbox-generator.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    /** Runs the other steps in a process of their own: the import is measured alone. */
    step: { type: 'string' },
    mbox: { type: 'string', default: '' },
  },
});
const messages = Number(values.messages);
const round = (value: number) => Math.round(value * 10) / 10;

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Times each write transaction, its wait for the lock included. */
function timed(org: OrgStore, times: number[]): OrgStore {
  return {
    ...org,
    orgId: org.orgId,
    dialect: org.dialect,
    file: org.file,
    read: (work) => org.read(work),
    now: () => org.now(),
    async write(work) {
      const began = performance.now();
      try {
        return await org.write(work);
      } finally {
        times.push(performance.now() - began);
      }
    },
  };
}

/** Times each COMMIT itself, which is prepared once: what the disk costs, without the wait for the lock. */
function watchCommits(times: number[]): void {
  const prepare = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function watched(sql: string, ...rest: []) {
    const statement = prepare.call(this, sql, ...rest);
    if (sql !== 'commit') return statement;
    const run = statement.run.bind(statement);
    statement.run = (...values: []) => {
      const began = performance.now();
      try {
        return run(...values);
      } finally {
        times.push(performance.now() - began);
      }
    };
    return statement;
  };
}

const spread = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    p50: round(quantile(sorted, 0.5)),
    p90: round(quantile(sorted, 0.9)),
    p99: round(quantile(sorted, 0.99)),
    max: round(sorted.at(-1) ?? 0),
    count: sorted.length,
  };
};

/** Mails a second that postal-mime parses here, on one thread, from the file's first 16 MB. */
async function parseAlone(mbox: string): Promise<number> {
  const handle = await open(mbox);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(16e6), 0, 16e6, 0);
  await handle.close();
  const mails = buffer
    .subarray(0, bytesRead)
    .toString('latin1')
    .split(/\n\nFrom [^\n]*\n/)
    .slice(0, -1);
  const began = performance.now();
  for (const mail of mails) await PostalMime.parse(Buffer.from(mail, 'latin1'));
  return mails.length / ((performance.now() - began) / 1000);
}

/** One step in a process of its own; what it prints, parsed. */
async function apart(step: string, mbox: string): Promise<number> {
  const args = [import.meta.filename, '--step', step, '--mbox', mbox, '--messages', String(messages)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

async function measure(mbox: string, home: string) {
  // As the command does.
  keepHeapSmall();
  const commits: number[] = [];
  watchCommits(commits);
  const rooms = await openRooms(loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'error' }));
  const transactions: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 25);
  const before = process.cpuUsage();
  delay.enable();
  const began = performance.now();
  const { org, memory, connections, clock, log } = rooms;
  const result = await importPaths({
    org: timed(org, transactions),
    paths: [mbox],
    memory,
    connections,
    clock,
    log,
  });
  const seconds = (performance.now() - began) / 1000;
  delay.disable();
  clearInterval(watch);
  const used = process.cpuUsage(before);
  await rooms.close();
  return {
    inserted: result.inserted,
    rejected: result.rejectedTotal,
    seconds: round(seconds),
    messagesPerSecond: Math.round(messages / seconds),
    cpuMsPerMessage: round((used.user + used.system) / 1000 / messages),
    peakRssMegabytes: Math.round(peak / 1e6),
    commitMs: spread(commits),
    transactionMs: spread(transactions),
    eventLoopMaxMs: round(delay.max / 1e6),
  };
}

if (values.step === 'generate') console.log((await generateMbox(values.mbox, messages)).bytes);
else if (values.step === 'parse') console.log(await parseAlone(values.mbox));
else {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-import-'));
  const mbox = join(folder, 'mail.mbox');
  try {
    const bytes = await apart('generate', mbox);
    const figures = await measure(mbox, join(folder, 'home'));
    const parseAlonePerSecond = Math.round(await apart('parse', mbox));
    const about = { messages, megabytes: round(bytes / 1e6), meanKilobytes: round(bytes / messages / 1e3) };
    const machine = { cores: cpus().length, loadBefore: loadavg()[0], node: process.version };
    console.log(JSON.stringify({ ...about, ...figures, parseAlonePerSecond, machine }, null, 2));
  } finally {
    await rm(folder, { recursive: true });
  }
}
