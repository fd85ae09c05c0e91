// A stdio server as a child process, spoken to in raw lines: for tests of what no proper client would send.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

export interface Message {
  jsonrpc: string;
  id?: number | string | null;
  method?: string;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

export interface StdioProcess {
  child: ChildProcess;
  /** Every line of standard output so far, as it came. */
  lines: string[];
  write(text: string): Promise<void>;
  send(message: object): Promise<void>;
  /** Sends a request and resolves with its answer. */
  request(method: string, params?: object): Promise<Message>;
  initialize(protocolVersion?: string): Promise<Message>;
  /** Closes standard input; resolves with the exit code. */
  end(): Promise<number | null>;
  exited: Promise<number | null>;
  said(): string;
}

export function startStdio(home: string, env: Record<string, string> = {}): StdioProcess {
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'stdio'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      DRAWBRIDGE_HOME: home,
      DRAWBRIDGE_PORT: '0',
      DRAWBRIDGE_LOG_LEVEL: 'warn',
      ...env,
    },
  });
  const lines: string[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  let errors = '';
  let count = 0;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.on('error', () => undefined); // the server may have closed it: that is what some tests are about
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const message = JSON.parse(line) as Message;
    if (typeof message.id === 'number') waiting.get(message.id)?.(message);
  });
  // Closed, and not only ended: until then its last words may still be in the pipes.
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const write = (text: string) => new Promise<void>((resolve) => child.stdin.write(text, () => resolve()));
  const send = (message: object) => write(`${JSON.stringify(message)}\n`);
  async function request(method: string, params: object = {}): Promise<Message> {
    count += 1;
    const id = 1_000_000 + count;
    const answered = new Promise<Message>((resolve) => waiting.set(id, resolve));
    await send({ jsonrpc: '2.0', id, method, params });
    const ended = exited.then((code) => {
      throw new Error(`the server ended with ${code} before it answered ${method}: ${errors}`);
    });
    return Promise.race([answered, ended]);
  }
  return {
    child,
    lines,
    write,
    send,
    request,
    async initialize(protocolVersion = '2025-11-25') {
      const answer = await request('initialize', {
        protocolVersion,
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      });
      await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
      return answer;
    },
    end() {
      child.stdin.end();
      return exited;
    },
    exited,
    said: () => errors,
  };
}
