// What every command is given: its output, the configuration, and the rooms for as long as it runs.
import { type Command, CommanderError } from 'commander';
import type { ChangeRecord } from '../auth/record-change.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config.ts';
import type { Rooms } from '../rooms.ts';
import type { Store } from '../store/store.ts';
import { createOutput, type Output } from './terminal/output.ts';

/** Adds a command's arguments and options to its line; loads nothing that only running it needs. */
export type Declare = (command: Command) => void | Promise<void>;

export interface Session {
  output: Output;
  clock: Clock;
  config: Config;
}

/**
 * A person reads what a command says; the log beside it is for who asks for one. What serves asks always.
 * @throws DrawbridgeError `invalid_request` naming each environment variable at fault
 */
export function openSession(options: { json?: boolean | undefined; serves?: boolean }): Session {
  const config = loadConfig(undefined, undefined, options.serves === true ? undefined : 'silent');
  return { output: createOutput(options.json === true), clock: systemClock, config };
}

/** Opens the rooms, and closes them however `work` ends. */
export async function withRooms<Result>(
  session: Session,
  work: (rooms: Rooms) => Promise<Result>,
): Promise<Result> {
  const { openRooms } = await import('../rooms.ts');
  const rooms = await openRooms(session.config);
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

/** How the record names what is done here: the owner, at a terminal. */
export function atTerminal({ audit, owner }: Rooms): ChangeRecord {
  return { audit, by: { kind: owner.kind, id: owner.memberId, name: owner.name }, channel: 'terminal' };
}

/** The stdio servers that live now, for what only a person may do. */
export async function stdioServers(store: Store): Promise<number[]> {
  const { liveProcesses } = await import('../jobs/presence.ts');
  return (await liveProcesses(store)).filter(({ kind }) => kind === 'stdio').map(({ pid }) => pid);
}

/** Bad usage: said with the command's name in front, exit code 2. */
export function usageError(message: string): CommanderError {
  return new CommanderError(2, 'drawbridge.usage', message);
}

/** The words of a question. @throws usageError where there are none */
export function questionOf(words: readonly string[]): string {
  const question = words.join(' ').trim();
  if (question === '') throw usageError('the question is empty: say what you want to know.');
  return question;
}

/** Aborted by the first Ctrl-C; a second one ends the process at once. */
export function interruption(): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return {
    signal: controller.signal,
    end() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}

/** A whole number of at least one, from an option. */
export function positive(flag: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw usageError(`${flag}: "${text}" is no whole number above 0.`);
    return Number(text);
  };
}
