// Text put together piece by piece, as a file with headings has it: each piece a span under its headings.
import { cleanBlock, cleanLine } from './clean.ts';
import type { Span } from './normalised.ts';

/** UTF-16 units; below what a document may have, so that a table without end is cut and not refused. */
const mostText = 4_500_000;

export interface Outline {
  /** Opens a section; what follows stands under it and the higher ones. `level`: 1 is the highest. */
  heading(level: number, words: string): void;
  /** A paragraph or a table: an empty line before it. */
  block(text: string): void;
  /** A row that stands directly under the last piece. */
  line(text: string): void;
  /** Whether the text has reached its limit: what comes now is left out. */
  full(): boolean;
  finish(): { text: string; spans: Span[]; cut: boolean };
}

export function createOutline(limit = mostText): Outline {
  const parts: string[] = [];
  const spans: Span[] = [];
  const path: { level: number; words: string }[] = [];
  let length = 0;
  let cut = false;

  function add(text: string, gap: string): void {
    const clean = cleanBlock(text);
    if (clean === '') return;
    const between = (length === 0 ? '' : gap) + (/^ */u.exec(text)?.[0] ?? '');
    if (cut || length + between.length + clean.length > limit) {
      cut = true;
      return;
    }
    const start = length + between.length;
    const heading = path.map((part) => part.words).join(' › ');
    spans.push({ start, end: start + clean.length, ...(heading === '' ? {} : { heading }) });
    parts.push(between, clean);
    length = start + clean.length;
  }

  return {
    heading(level, words) {
      const clean = cleanLine(words);
      if (clean === '') return;
      while ((path.at(-1)?.level ?? 0) >= level) path.pop();
      path.push({ level, words: clean });
      add(clean, '\n\n');
    },
    block: (text) => add(text, '\n\n'),
    line: (text) => add(text, '\n'),
    full: () => cut,
    finish: () => ({ text: parts.join(''), spans, cut }),
  };
}
