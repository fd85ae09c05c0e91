// Real child processes, run from source on the Node that runs the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  process: ChildProcess;
  /** Resolves when the output holds `text`; rejects when the process ends without. */
  says(text: string): Promise<void>;
  /** Resolves with what was written and how it ended. */
  ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Runs test/store/fixtures/`script` with one JSON argument. */
export function start(script: string, argument: unknown): Child {
  const path = fileURLToPath(new URL(`./fixtures/${script}`, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(argument)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    child.emit('said');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }));
  return {
    process: child,
    ended,
    async says(text) {
      while (!out.includes(text)) {
        const over = await Promise.race([once(child, 'said').then(() => false), ended.then(() => true)]);
        if (over && !out.includes(text)) throw new Error(`ended without "${text}": ${out}${err}`);
      }
    },
  };
}
