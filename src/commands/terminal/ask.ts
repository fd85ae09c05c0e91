// Questions to the person at the terminal. They go to standard error, so that a result can be piped away.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { DrawbridgeError } from '../../errors.ts';
import { registerSecret } from '../../secret.ts';

/** Whether there is somebody to ask: standard input and standard error are a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function answerTo(prompt: string, echo: boolean): Promise<string> {
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  const { stdin, stderr } = process;
  const lines = createInterface({
    input: stdin,
    output: echo ? stderr : muted,
    terminal: true,
    historySize: 0,
  });
  try {
    if (!echo) stderr.write(prompt);
    const ended = new Promise<never>((_, refuse) => {
      const stop = () =>
        refuse(new DrawbridgeError('invalid_request', 'Nothing was answered; nothing was done.'));
      lines.once('SIGINT', stop);
      lines.once('close', stop);
    });
    return await Promise.race([lines.question(echo ? prompt : ''), ended]);
  } finally {
    lines.close();
    if (!echo) stderr.write('\n');
  }
}

export async function ask(prompt: string): Promise<string> {
  return (await answerTo(`${prompt} `, true)).trim();
}

/** Asks for a credential without showing it. */
export async function askSecret(prompt: string): Promise<string> {
  const answer = await answerTo(`${prompt} `, false);
  registerSecret(answer);
  return answer;
}

/** True only for `yes`: one key pressed by mistake is no consent. */
export async function askYes(prompt: string): Promise<boolean> {
  return (await ask(`${prompt} Type yes to go on:`)).toLowerCase() === 'yes';
}

/** Standard input to its end, capped at 64 KiB. @throws DrawbridgeError `invalid_request` */
export async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin) {
    const buffer = Buffer.from(piece);
    bytes += buffer.length;
    if (bytes > 65_536) throw new DrawbridgeError('invalid_request', 'Standard input is longer than 64 KiB.');
    pieces.push(buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
