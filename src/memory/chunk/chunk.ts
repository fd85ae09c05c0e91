// A document cut into what is searched: one chunk a mail message, contact, event, invoice or listing,
// whole turns of a conversation, 350–500 tokens of a file, each with an exact span in the text.
import type { Normalised, Span } from '../normalise/normalised.ts';
import { trimSpan } from '../normalise/quotes.ts';

/** In tokens as models count them: about four Latin characters, or one of Chinese, Japanese or Korean. */
const target = 450;
const most = 500;
/** A single record is cut only when it is longer than this. */
const mostOfRecord = 700;

export interface Chunk {
  /** `text.slice(start, end)` is the passage. */
  start: number;
  end: number;
  heading: string | undefined;
  /** The searched words in it: the passage without quotes that stand between. */
  words: string;
}

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

export function tokensIn(text: string): number {
  const wideOnes = text.match(wide)?.length ?? 0;
  return wideOnes + (text.length - wideOnes) / 4;
}

/** Cuts a span at the last of `boundary` that keeps a piece within `most` tokens, else at the next finer one. */
const boundaries = [/\n\s*\n/gu, /\n/gu, /[.!?。！？]["'”’)]*\s+|[。！？]/gu, /\s+/gu];

function split(text: string, span: Span, finest = 0): Span[] {
  const body = text.slice(span.start, span.end);
  if (tokensIn(body) <= most) return [span];
  const boundary = boundaries[finest];
  if (boundary === undefined) return splitAnywhere(text, span);
  const pieces: Span[] = [];
  let from = 0;
  for (const match of body.matchAll(boundary)) {
    const to = match.index + match[0].length;
    pieces.push({ ...span, start: span.start + from, end: span.start + to });
    from = to;
  }
  pieces.push({ ...span, start: span.start + from, end: span.end });
  return pieces
    .map((piece) => trimSpan(text, piece))
    .filter((piece) => piece.end > piece.start)
    .flatMap((piece) => split(text, piece, finest + 1));
}

/** A word without end: cut by length, never between the halves of a surrogate pair. */
function splitAnywhere(text: string, span: Span): Span[] {
  const pieces: Span[] = [];
  for (let start = span.start; start < span.end; ) {
    let end = Math.min(start + most, span.end);
    if (end < span.end && isLowHalf(text, end)) end += 1;
    pieces.push({ ...span, start, end });
    start = end;
  }
  return pieces;
}

function isLowHalf(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

function chunkOf(text: string, pieces: readonly Span[]): Chunk {
  const first = pieces[0];
  return {
    start: first?.start ?? 0,
    end: pieces.at(-1)?.end ?? 0,
    heading: first?.heading,
    words: pieces.map((piece) => text.slice(piece.start, piece.end)).join('\n'),
  };
}

/** Consecutive pieces together up to `target` tokens; a new heading begins a new chunk once there is enough. */
function pack(text: string, pieces: readonly Span[]): Chunk[] {
  const chunks: Chunk[] = [];
  let open: Span[] = [];
  let size = 0;
  for (const piece of pieces) {
    const tokens = tokensIn(text.slice(piece.start, piece.end));
    const otherHeading = open.length > 0 && open[0]?.heading !== piece.heading;
    if (open.length > 0 && (size + tokens > target || (otherHeading && size > target / 4))) {
      chunks.push(chunkOf(text, open));
      open = [];
      size = 0;
    }
    open.push(piece);
    size += tokens;
  }
  if (open.length > 0) chunks.push(chunkOf(text, open));
  return chunks;
}

/** At least one chunk, so that a document with a title and no text is found by its title. */
export function cutIntoChunks(document: Normalised): Chunk[] {
  const { text } = document;
  const spans = document.spans.map((span) => trimSpan(text, span)).filter((span) => span.end > span.start);
  if (spans.length === 0) return [{ start: 0, end: 0, heading: undefined, words: '' }];
  const size = spans.reduce((sum, span) => sum + tokensIn(text.slice(span.start, span.end)), 0);
  if (document.cut === 'record' && size <= mostOfRecord) return [chunkOf(text, spans)];
  return pack(
    text,
    spans.flatMap((span) => split(text, span)),
  );
}
