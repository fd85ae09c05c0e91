// ime-search through the protocol, and HTTP throughput beside a bare SDK v2 echo tool, in one run.
// `node bench/protocol.ts [--chunks 10000] [--questions 300] [--calls 2000]`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { createKeys } from '../src/auth/keys.ts';
import { loadConfig } from '../src/config.ts';
import { openRooms } from '../src/rooms.ts';
import { generateQuestions, generateRecords } from './corpus.ts';
import { median, percentile, row } from './figures.ts';
import { callTool } from './mcp-call.ts';

const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '10000' },
    questions: { type: 'string', default: '300' },
    calls: { type: 'string', default: '2000' },
  },
});
const chunks = Number(values.chunks);
const questions = generateQuestions(7, Number(values.questions));
const calls = Number(values.calls);
const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'drawbridge-bench-'));
const env = {
  PATH: process.env['PATH'],
  DRAWBRIDGE_HOME: home,
  DRAWBRIDGE_PORT: '0',
  DRAWBRIDGE_LOG_LEVEL: 'error',
};

/** Fills memory through its ordinary door; returns a key for HTTP. */
async function fill(): Promise<string> {
  const rooms = await openRooms(loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'error' }));
  const files = await rooms.connections.own(rooms.org, 'files');
  const source = { connectionId: files.id, provider: 'files' };
  let batch = [];
  for (const record of generateRecords(42, chunks)) {
    batch.push(record);
    if (batch.length < 50) continue;
    await rooms.memory.ingest(rooms.org, source, { records: batch });
    batch = [];
  }
  if (batch.length > 0) await rooms.memory.ingest(rooms.org, source, { records: batch });
  const { key } = await createKeys(rooms).create(rooms.org.orgId, 'bench', ['read', 'propose']);
  const stats = await rooms.memory.stats(rooms.org);
  console.log(`${stats.documents} documents, ${stats.chunks} chunks`);
  await rooms.close();
  return key.reveal();
}

/** Milliseconds of each question over stdio, one after the other. */
async function overStdio(): Promise<number[]> {
  const child = spawn(process.execPath, [join(root, 'bin/drawbridge.mjs'), 'stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  const waiting = new Map<number, () => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as { id?: number; result?: { isError?: boolean } };
    if (message.result?.isError === true) throw new Error(line.slice(0, 500));
    if (message.id !== undefined) waiting.get(message.id)?.();
  });
  let id = 0;
  const request = (method: string, params: object) => {
    id += 1;
    const mine = id;
    return new Promise<void>((resolve) => {
      waiting.set(mine, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: mine, method, params })}\n`);
    });
  };
  await request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  const times: number[] = [];
  for (const [index, question] of [...questions.slice(0, 20), ...questions].entries()) {
    const began = performance.now();
    await request('tools/call', { name: 'ime-search', arguments: { question } });
    if (index >= 20) times.push(performance.now() - began); // the first twenty warm it up
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await ended;
  return times;
}

/** Calls a second over HTTP with 8 connections, 2026-07-28 wire, one tool. */
async function throughput(origin: string, name: string, args: object, key?: string): Promise<number> {
  const pool = new Pool(origin, { connections: 8 });
  const one = () => callTool(pool, { name, args, key });
  const many = async (count: number) => {
    let left = count;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (left > 0) {
          left -= 1;
          await one();
        }
      }),
    );
  };
  await many(200);
  const rates: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    await many(calls / 5);
    rates.push(calls / 5 / ((performance.now() - began) / 1000));
  }
  await pool.close();
  return median(rates);
}

async function listening(
  command: string[],
  said: RegExp,
): Promise<{ origin: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const origin = await new Promise<string>((resolve, reject) => {
    let text = '';
    const read = (data: Buffer) => {
      text += data.toString();
      const found = said.exec(text);
      if (found !== null) resolve(found[1] ?? '');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    origin,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

try {
  const key = await fill();
  const times = await overStdio();
  console.log(
    `ime-search over stdio, ${times.length} whole questions: p50 ${median(times).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms  (goals: 10,000 chunks p50 ≤ 10, p99 ≤ 40; 100,000 p50 ≤ 60)`,
  );
  const bare = await listening([join(root, 'bench/bare-server.mjs'), '17331'], /(listening)/);
  const ours = await listening(
    [join(root, 'bin/drawbridge.mjs'), 'serve', '--port', '0', '--json'],
    /"url":\s*"([^"]+)"/,
  );
  const port = new URL(ours.origin).port;
  const echo = await throughput('http://127.0.0.1:17331', 'echo', { text: 'hello' });
  const listed = await throughput(`http://127.0.0.1:${port}`, 'list-connections', {}, key);
  const searched = await throughput(
    `http://127.0.0.1:${port}`,
    'ime-search',
    { question: questions[0] ?? '' },
    key,
  );
  console.log(row('list-connections over HTTP', listed, echo, '/s', '≥ 0.5 × an echo tool'));
  console.log(row('ime-search over HTTP', searched, echo, '/s', 'none set'));
  await ours.stop();
  await bare.stop();
} finally {
  rmSync(home, { recursive: true, force: true });
}
