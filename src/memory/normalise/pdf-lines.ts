// The words of a PDF's page as lines: what stands apart on the page stands apart in the text, and letters that the
// writing program named wrongly are put right.

export interface Line {
  words: string;
  /** Points, across the direction in which it is written; from the bottom of an upright page. */
  y: number;
  height: number;
}

/** A piece of text as the parser gives it (pdf.js TextItem). */
export interface Piece {
  str: string;
  /** Its matrix: direction in the first two, place in the last two. */
  transform: readonly unknown[];
  width: number;
  height: number;
  hasEOL: boolean;
}

interface Place {
  /** Direction of writing, of length 1. */
  right: number;
  up: number;
  start: number;
  end: number;
  y: number;
  height: number;
}

function placeOf({ transform, width, height }: Piece): Place {
  const [a = 1, b = 0, , , x = 0, y = 0] = transform.map(Number);
  const length = Math.hypot(a, b) || 1;
  const [right, up] = [a / length, b / length];
  const start = x * right + y * up;
  return { right, up, start, end: start + width, y: y * right - x * up, height };
}

/** What lies between two pieces where the parser, which begins anew with each drawing inside of a page, saw nothing. */
function between(last: Place, next: Place): 'line' | 'space' | 'nothing' {
  const height = Math.max(last.height, next.height);
  if (height === 0 || next.end === next.start) return 'nothing';
  const isTurned = last.right * next.right + last.up * next.up < 0.9;
  if (isTurned || Math.abs(last.y - next.y) > 0.7 * height) return 'line';
  // Right to left the next piece ends where the last one starts.
  const gap = Math.max(next.start - last.end, last.start - next.end);
  return gap > 0.15 * height ? 'space' : 'nothing';
}

export function linesOf(pieces: readonly Piece[]): Line[] {
  const lines: Line[] = [];
  let words = '';
  let first: Place | undefined;
  let last: Place | undefined;
  const end = (): void => {
    if (first !== undefined) lines.push({ words: repaired(words), y: first.y, height: first.height });
    words = '';
    first = undefined;
    last = undefined;
  };
  for (const piece of pieces) {
    if (piece.str.trim() !== '') {
      const place = placeOf(piece);
      const gap = last === undefined ? 'nothing' : between(last, place);
      if (gap === 'line') end();
      else if (gap === 'space' && !/\s$/u.test(words) && !/^\s/u.test(piece.str)) words += ' ';
      first ??= place;
      last = place;
    }
    words += piece.str;
    if (piece.hasEOL) end();
  }
  end();
  return lines;
}

/** Ghostscript 10.00 wrote the letters of a ligature with their bytes turned round; `ffl` it added up. */
const turned =
  /(?<=\p{Script=Latin})[\u6600\u7400][\u6600\u6900\u6a00\u6c00\u7400\ud200]*|[\u6600\u7400][\u6600\u6900\u6a00\u6c00\u7400\ud200]*(?=\p{Script=Latin})/gu;
/** Signs that stand for a radical in a dictionary: Chrome names the letters of some fonts by them. */
const radicals = /[\u2e80-\u2fd5]/gu;

function repaired(words: string): string {
  return words
    .replace(turned, (run) =>
      [...run]
        .map((sign) => (sign === '\ud200' ? 'fl' : String.fromCharCode(sign.charCodeAt(0) >> 8)))
        .join(''),
    )
    .replace(radicals, (sign) => sign.normalize('NFKC'));
}
