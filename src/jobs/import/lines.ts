// Lines of a byte source with their positions, however long the file is. A line above the cap is yielded
// without its bytes, so that it can be reported and passed over.
import type { ByteSource } from './byte-source.ts';

export interface Line {
  /** Without its line end; undefined when the line is longer than the cap. */
  bytes: Buffer | undefined;
  start: number;
  /** Position after the line end. */
  end: number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

export async function* readLines(source: ByteSource, from: number, largest: number): AsyncIterable<Line> {
  let parts: Buffer[] = [];
  let held = 0;
  let start = from;
  let position = from;

  function finish(end: number): Line {
    const whole = held > largest ? undefined : Buffer.concat(parts);
    const bytes = whole?.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    const line = { bytes, start, end };
    parts = [];
    held = 0;
    start = end;
    return line;
  }

  for await (const piece of source.pieces(from)) {
    let at = 0;
    while (at < piece.length) {
      const found = piece.indexOf(newline, at);
      const stop = found === -1 ? piece.length : found;
      held += stop - at;
      if (held > largest) parts = [];
      else parts.push(found === -1 ? Buffer.from(piece.subarray(at)) : piece.subarray(at, stop));
      if (found === -1) break;
      yield finish(position + found + 1);
      at = found + 1;
    }
    position += piece.length;
  }
  if (held > 0) yield finish(position);
}
