// Rows of a delimited file, each with its line, its bytes and its values. A broken row is reported and
// costs no other row: where a quote is never closed, reading goes on at the next line.
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { type ByteSource, decodeText } from './byte-source.ts';
import { type Line, readLines } from './lines.ts';

const longestLine = 4 * 1024 * 1024;
const mostLinesOfARow = 2000;
const longestRow = 4 * 1024 * 1024;

export type Row = { line: number; end: number } & ({ values: string[] } | { reason: string });

/** The delimiter that the header line uses most: comma, semicolon (Excel where the comma is decimal), tab or bar. */
function delimiterOf(header: string): string {
  const bare = header.replace(/"[^"]*"/g, '');
  let best = ',';
  let most = 0;
  for (const candidate of [',', ';', '\t', '|']) {
    const count = bare.split(candidate).length - 1;
    if (count > most) [best, most] = [candidate, count];
  }
  return best;
}

/** Whether a quoted value begins in `text` and has not ended. */
function isOpen(text: string, delimiter: string): boolean {
  if (!text.startsWith('"') && !text.includes(`${delimiter}"`)) return false;
  return (text.split('"').length - 1) % 2 === 1;
}

function parseRow(text: string, delimiter: string): string[] | string {
  try {
    const rows: string[][] = parse(text, {
      delimiter,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: longestRow,
    });
    if (rows.length > 1) return 'it breaks into several rows: a quote stands where none may';
    return rows[0] ?? [];
  } catch (error) {
    if (error instanceof CsvError)
      return error.message.replace(/ at line \d+/, '').replace(/, \d+ (?=record)/, ' ');
    throw error;
  }
}

/** Yields the rows behind byte `from`, which must be 0 or an earlier row's `end`; `line` counts from `firstLine`. */
export async function* readRows(
  source: ByteSource,
  from: number,
  firstLine: number,
  givenDelimiter?: string,
): AsyncIterable<Row> {
  const lines = readLines(source, from, longestLine)[Symbol.asyncIterator]();
  const ahead: Line[] = [];
  let number = firstLine - 1;
  let delimiter = givenDelimiter;

  async function next(): Promise<Line | undefined> {
    const kept = ahead.shift();
    if (kept !== undefined) return kept;
    const read = await lines.next();
    return read.done === true ? undefined : read.value;
  }

  for (let first = await next(); first !== undefined; first = await next()) {
    number += 1;
    const line = number;
    if (first.bytes === undefined) {
      yield { line, end: first.end, reason: 'the line is longer than 4 MiB' };
      continue;
    }
    let text = decodeText(first.bytes);
    if (text.trim() === '') continue;
    delimiter ??= delimiterOf(text);
    const joined: Line[] = [];
    let size = text.length;
    while (isOpen(text, delimiter) && joined.length < mostLinesOfARow && size < longestRow) {
      const more = await next();
      if (more === undefined) break;
      joined.push(more);
      if (more.bytes === undefined) break;
      text += `\n${decodeText(more.bytes)}`;
      size += more.bytes.length;
    }
    const values = isOpen(text, delimiter) ? 'a quote is opened and never closed' : parseRow(text, delimiter);
    if (typeof values === 'string') {
      ahead.unshift(...joined);
      yield { line, end: first.end, reason: values };
      continue;
    }
    number += joined.length;
    yield { line, end: joined.at(-1)?.end ?? first.end, values };
  }
}
