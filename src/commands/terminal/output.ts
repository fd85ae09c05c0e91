// The one writer of the command line. Results go to standard output, everything said on the way to standard
// error; colours and drawings appear on a terminal alone.
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface Output {
  /** Whether `--json` was given: one JSON document is all that standard output gets. */
  json: boolean;
  /** Whether a person sits at standard output. */
  isTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  width: number;
  line(text?: string): void;
  value(value: unknown): void;
  /** Said on the way, to standard error. */
  aside(text: string): void;
  style(style: Style, text: string): string;
  styleAside(style: Style, text: string): string;
  /** Draws on the terminal's current line; nothing where standard error is no terminal. */
  draw(text: string): void;
}

// `styleText` reads NO_COLOR, FORCE_COLOR and whether the stream is a terminal by itself.
function styled(style: Style, text: string, stream: NodeJS.WriteStream): string {
  return styleText(style, text, { stream, validateStream: true });
}

function columns(stream: WriteStream): number {
  return stream.isTTY ? stream.columns || 80 : 80;
}

export function createOutput(json: boolean): Output {
  const { stdout, stderr } = process;
  // `drawbridge search … | head`: the reader has gone, and what is still to come is nobody's.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  let drawn = false;
  function clear(): void {
    // Overwritten and not erased: that asks nothing of the terminal but a carriage return.
    if (drawn) stderr.write(`\r${' '.repeat(columns(stderr) - 1)}\r`);
    drawn = false;
  }
  return {
    json,
    isTerminal: stdout.isTTY === true,
    width: columns(stdout),
    line(text = '') {
      clear();
      stdout.write(`${text}\n`);
    },
    value(value) {
      clear();
      stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    aside(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    style: (style, text) => styled(style, text, stdout),
    styleAside: (style, text) => styled(style, text, stderr),
    draw(text) {
      if (stderr.isTTY !== true) return;
      clear();
      if (text === '') return;
      stderr.write(text.slice(0, columns(stderr) - 1));
      drawn = true;
    },
  };
}
