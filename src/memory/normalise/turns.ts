// A conversation as text: a turn a line, `[00:12:03] Speaker: words`, each a span that is never torn.
import type { Person } from '../../providers/record.ts';
import { cleanBlock, cleanLine } from './clean.ts';
import type { Span } from './normalised.ts';

export interface Turn {
  speaker?: string | undefined;
  /** Milliseconds from the beginning of the recording. */
  offset?: number | undefined;
  text: string;
}

function clockOf(offset: number): string {
  const seconds = Math.floor(offset / 1000);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}

export function turnsToText(turns: readonly Turn[]): { text: string; spans: Span[] } {
  const spans: Span[] = [];
  const lines: string[] = [];
  let length = 0;
  for (const { speaker: said, offset, text } of turns) {
    const speaker = cleanLine(said ?? '');
    const words = cleanBlock(text);
    if (words === '') continue;
    const at = offset === undefined ? '' : `[${clockOf(offset)}] `;
    const line = `${at}${speaker === '' ? words : `${speaker}: ${words}`}`;
    const start = length === 0 ? 0 : length + 1;
    lines.push(line);
    spans.push({ start, end: start + line.length });
    length = start + line.length;
  }
  return { text: lines.join('\n'), spans };
}

/** Everybody who speaks and is not among `known` by name. */
export function speakersOf(turns: readonly Turn[], known: readonly Person[]): Person[] {
  const named = new Set(known.map((person) => person.name));
  const names = new Set(turns.map((turn) => cleanLine(turn.speaker ?? '')));
  return [...names]
    .filter((name) => name !== '' && !named.has(name))
    .map((name) => ({ name, role: 'speaker' }));
}
