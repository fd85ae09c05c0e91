// Untrusted text on a page: escaped, whole, and with nothing in it that the eye cannot see. What would
// hide, reorder or end a line is shown by its name instead.
import { html } from 'hono/html';

/** What a template may hold: escaped markup, plain text (escaped when printed), or nothing. */
export type Markup = ReturnType<typeof html> | string | undefined | Markup[];

const names: Record<number, string> = {
  0: 'NUL',
  13: 'CR',
  27: 'ESC',
  127: 'DEL',
  173: 'soft hyphen',
  1564: 'Arabic letter mark',
  8203: 'zero width space',
  8204: 'zero width non-joiner',
  8205: 'zero width joiner',
  8206: 'left-to-right mark',
  8207: 'right-to-left mark',
  8232: 'line separator',
  8233: 'paragraph separator',
  8234: 'left-to-right embedding',
  8235: 'right-to-left embedding',
  8236: 'pop directional formatting',
  8237: 'left-to-right override',
  8238: 'right-to-left override',
  8288: 'word joiner',
  8294: 'left-to-right isolate',
  8295: 'right-to-left isolate',
  8296: 'first strong isolate',
  8297: 'pop directional isolate',
  12644: 'Hangul filler',
  65279: 'byte order mark',
};

// Joiners inside an emoji or between letters of scripts that are written with them are spelling, as is the
// selector that makes a sign an emoji; anywhere else they are marks that hide.
const spelled =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?)\u200D(?=\p{Extended_Pictographic})|(?<=[\p{Extended_Pictographic}#*0-9])\uFE0F|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}])[\u200C\u200D]/u;
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Co}\p{Cs}\uFFF9-\uFFFB\u2028\u2029\u2800]|[\p{Cc}--[\t\n]]/v;
const parts = new RegExp(`(?<spelled>${spelled.source})|(?<unseen>${unseen.source})`, 'gv');

function mark(character: string): Markup {
  const code = character.codePointAt(0) ?? 0;
  const point = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const name = names[code];
  return html`<span class="unseen" title="An invisible character">${name === undefined ? point : `${point} ${name}`}</span>`;
}

/** `text` whole, with each invisible, control and direction-changing character shown by its name. */
export function marked(text: string): Markup {
  const lines = text.replaceAll('\r\n', '\n');
  const pieces: Markup[] = [];
  let from = 0;
  for (const match of lines.matchAll(parts)) {
    if (match.groups?.['unseen'] === undefined) continue;
    pieces.push(lines.slice(from, match.index), mark(match[0]));
    from = match.index + match[0].length;
  }
  pieces.push(lines.slice(from));
  return html`${pieces}`;
}

/** The same for a text of one line, kept apart from its neighbours' writing direction. */
export function inline(text: string): Markup {
  return html`<bdi>${marked(text)}</bdi>`;
}

/** How many characters of `text` `marked` would show by name. */
export function countUnseen(text: string): number {
  let count = 0;
  for (const match of text.replaceAll('\r\n', '\n').matchAll(parts)) {
    if (match.groups?.['unseen'] !== undefined) count += 1;
  }
  return count;
}
