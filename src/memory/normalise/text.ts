// Plain text and Markdown: paragraphs, under their headings where there are any.
import { clean, cleanLine } from './clean.ts';
import { decodeLegacy, unmarkedUtf16 } from './legacy-text.ts';
import type { Normalised, Span } from './normalised.ts';

const maxTitleLength = 200;

function paragraphs(text: string, from: number, to: number, heading: string | undefined): Span[] {
  const spans: Span[] = [];
  for (const match of text.slice(from, to).matchAll(/\S(?:[^\n]|\n(?!\s*\n))*/gu)) {
    const body = match[0].trimEnd();
    const start = from + match.index;
    spans.push({ start, end: start + body.length, ...(heading === undefined ? {} : { heading }) });
  }
  return spans;
}

/** Bytes as text: UTF-8 or UTF-16, else the encoding from before them that their commonest characters tell. */
export function decodeText(raw: Uint8Array): string {
  if (raw[0] === 0xff && raw[1] === 0xfe) return new TextDecoder('utf-16le').decode(raw);
  if (raw[0] === 0xfe && raw[1] === 0xff) return new TextDecoder('utf-16be').decode(raw);
  const utf16 = raw.subarray(0, 64).includes(0) ? unmarkedUtf16(raw) : undefined;
  if (utf16 !== undefined) return new TextDecoder(utf16).decode(raw);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw);
  } catch {
    return decodeLegacy(raw);
  }
}

/** Spans of a text without structure. */
export function plainSpans(text: string): Span[] {
  return paragraphs(text, 0, text.length, undefined);
}

export function readPlain(raw: Uint8Array): Normalised {
  const text = clean(decodeText(raw)).trim();
  const first = cleanLine(text.split('\n', 1)[0] ?? '');
  return {
    title: first.slice(0, maxTitleLength),
    text,
    spans: plainSpans(text),
    cut: 'sections',
    people: [],
    facts: {},
  };
}

interface Heading {
  level: number;
  words: string;
  start: number;
  end: number;
}

/** ATX headings (`## x`) outside fenced code (CommonMark 0.31, section 4.2). */
function headingsOf(text: string): Heading[] {
  const found: Heading[] = [];
  let at = 0;
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(```+|~~~+)/u.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
    } else if (fence === undefined) {
      const heading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/u.exec(line);
      if (heading !== null) {
        found.push({
          level: (heading[1] ?? '').length,
          words: cleanLine(heading[2] ?? ''),
          start: at,
          end: at + line.length,
        });
      }
    }
    at += line.length + 1;
  }
  return found;
}

function frontMatterTitle(text: string): string | undefined {
  const block = /^---\n([\s\S]*?)\n---(?:\n|$)/u.exec(text)?.[1];
  return block === undefined ? undefined : /^title:\s*["']?(.+?)["']?\s*$/mu.exec(block)?.[1];
}

/** Spans of a text with Markdown's headings, each under its own; `first` is the first heading's words. */
export function markdownSpans(text: string): { spans: Span[]; first: string | undefined } {
  const headings = headingsOf(text);
  const spans: Span[] = [];
  const first = headings[0];
  spans.push(...paragraphs(text, 0, first?.start ?? text.length, undefined));
  const path: Heading[] = [];
  headings.forEach((heading, i) => {
    while ((path.at(-1)?.level ?? 0) >= heading.level) path.pop();
    path.push(heading);
    const under = path.map((part) => part.words).join(' › ');
    spans.push(...paragraphs(text, heading.start, headings[i + 1]?.start ?? text.length, under));
  });
  return { spans, first: first?.words };
}

export function readMarkdown(raw: Uint8Array): Normalised {
  const text = clean(decodeText(raw)).trim();
  const { spans, first } = markdownSpans(text);
  const title = frontMatterTitle(text) ?? first ?? cleanLine(text.split('\n', 1)[0] ?? '');
  return { title: title.slice(0, maxTitleLength), text, spans, cut: 'sections', people: [], facts: {} };
}
