// Logging: pino to stderr, never stdout (it belongs to JSON-RPC), with every line scrubbed last of all.
import { type DestinationStream, type Logger, pino } from 'pino';
import { scrub } from './secret.ts';

export type Log = Logger;

export interface LogOptions {
  level: string;
  /** Where lines go; default standard error. */
  destination?: DestinationStream;
}

/** A logger whose lines, messages and stacks included, have passed the scrubber. */
export function createLog(options: LogOptions): Log {
  const out = options.destination ?? { write: (line: string) => void process.stderr.write(line) };
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write: (line: string) => out.write(scrub(line)),
    },
  );
}
