// The real program, as a child process on a home of its own; with a terminal where a test needs one.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = new URL('../../src/cli.ts', import.meta.url).pathname;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  home: string;
  environment: Record<string, string>;
  /** Runs to the end; `input` is its standard input. */
  run(args: string[], given?: { input?: string; environment?: Record<string, string> }): Promise<Ended>;
  /** Runs it and reads the JSON that it must have printed. */
  json<Result>(args: string[], given?: { input?: string; code?: number }): Promise<Result>;
  start(args: string[]): ChildProcess;
  /** Runs on a pseudo-terminal; each answer is typed when its question has appeared. */
  onTerminal(
    args: string[],
    answers: [question: string, answer: string][],
    environment?: Record<string, string>,
  ): Promise<{ code: number | null; screen: string }>;
  remove(): Promise<void>;
}

function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, refuse) => {
    child.once('error', refuse);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export async function newProgram(extra: Record<string, string> = {}): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
  const home = join(folder, 'home');
  // Its own HOME: `install` must not find the one of whoever runs the tests.
  const environment = {
    PATH: process.env['PATH'] ?? '',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    HOME: folder,
    DRAWBRIDGE_HOME: home,
    ...extra,
  };
  const start = (args: string[], more: Record<string, string> = {}) =>
    spawn(process.execPath, [cli, ...args], { env: { ...environment, ...more } });

  async function run(
    args: string[],
    given: { input?: string; environment?: Record<string, string> } = {},
  ): Promise<Ended> {
    const child = start(args, given.environment);
    child.stdin?.end(given.input ?? '');
    return ended(child);
  }

  return {
    home,
    environment,
    run,
    start: (args) => start(args),
    async json(args, given = {}) {
      const { code, stdout, stderr } = await run([...args, '--json'], given);
      if (code !== (given.code ?? 0)) throw new Error(`exit code ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout);
    },
    async onTerminal(args, answers, more = {}) {
      const quoted = [process.execPath, cli, ...args].map((part) => `'${part}'`).join(' ');
      const child = spawn('/usr/bin/script', ['-qec', quoted, '/dev/null'], {
        env: { ...environment, TERM: 'xterm', ...more },
      });
      let screen = '';
      let read = 0;
      const open = [...answers];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        screen += text;
        const [question, answer] = open[0] ?? [];
        const at = question === undefined ? -1 : screen.indexOf(question, read);
        if (question === undefined || at === -1) return;
        read = at + question.length;
        open.shift();
        child.stdin.write(`${answer}\r`);
      });
      const { code } = await ended(child);
      return { code, screen };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
