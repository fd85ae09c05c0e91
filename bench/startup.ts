// Start-up over stdio: process start to the answer of tools/list, and resident memory at that moment, of the
// packed program beside a bare SDK v2 server, run in turn. `node bench/startup.ts [--runs N]`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median, row } from './figures.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } });
const runs = Number(values.runs);
const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'drawbridge-startup-'));

interface Figure {
  ms: number;
  mb: number;
}

/** One process from spawn to the answer of tools/list. */
function start(command: string[]): Promise<Figure> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, command, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], DRAWBRIDGE_HOME: home, DRAWBRIDGE_PORT: '0' },
    });
    child.once('error', reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { id?: number; result?: { tools?: unknown[] } };
      if (message.id === 1) {
        child.stdin.write(
          `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' })}\n`,
        );
      }
      if (message.id !== 2) return;
      const ms = performance.now() - began;
      if (message.result?.tools === undefined) return reject(new Error(`no tools in ${line.slice(0, 200)}`));
      const mb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
      child.once('exit', () => resolve({ ms, mb }));
      child.stdin.end();
    });
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } } })}\n`,
    );
  });
}

const ours: Figure[] = [];
const bare: Figure[] = [];
try {
  for (let run = -2; run < runs; run += 1) {
    const a = await start([join(root, 'bin/drawbridge.mjs'), 'stdio']);
    const b = await start([join(root, 'bench/bare-server.mjs')]);
    if (run < 0) continue; // warm-up
    ours.push(a);
    bare.push(b);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`${runs} runs each, in turn, Node ${process.version}`);
console.log(
  row('start to tools/list', median(ours.map((f) => f.ms)), median(bare.map((f) => f.ms)), 'ms', '≤ 1.5 ×'),
);
console.log(
  row('resident memory', median(ours.map((f) => f.mb)), median(bare.map((f) => f.mb)), 'MB', '≤ 2 ×'),
);
