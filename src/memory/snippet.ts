// The part of a passage around the words that were asked for.
import { fold } from './language/stem.ts';
import { termsOfWord, words } from './language/terms.ts';

const longest = 300;
const window = 280;
/** A passage is looked through this far; what stands behind is rarely what a reader needs first. */
const looked = 6000;

const withoutSpaces = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** A stem begins as its word does: only words that begin like one asked for are stemmed. */
const prefixLength = 2;

function prefixOf(term: string): string {
  return term.slice(0, prefixLength);
}

/** The words of `text` that were asked for, with where they stand. */
function matchesIn(text: string, wanted: ReadonlySet<string>, languages: readonly string[]) {
  const prefixes = new Set([...wanted].map(prefixOf));
  const found: { at: number; length: number; term: string }[] = [];
  const spaced = !withoutSpaces.test(text);
  const parts = spaced
    ? [...text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)].map((match) => ({ text: match[0], start: match.index }))
    : words(text);
  for (const word of parts) {
    if (spaced && !prefixes.has(prefixOf(fold(word.text.toLowerCase())))) continue;
    const term = termsOfWord(word.text, languages).find((one) => wanted.has(one));
    if (term !== undefined) found.push({ at: word.start, length: word.text.length, term });
  }
  return found;
}

/** Where the words that were asked for stand: begin and end. */
export function marksIn(
  text: string,
  wanted: ReadonlySet<string>,
  languages: readonly string[],
): [number, number][] {
  return matchesIn(text, wanted, languages).map(({ at, length }) => [at, at + length]);
}

/** At most ~300 characters, cut at words, with … where something is left out. */
export function snippetOf(text: string, wanted: ReadonlySet<string>, languages: readonly string[]): string {
  const flat = text.replace(/\s+/gu, ' ').trim();
  if (flat.length <= longest) return flat;
  const matches = matchesIn(flat.slice(0, looked), wanted, languages);
  let bestStart = 0;
  let bestCount = 0;
  let first = 0;
  // The window with the most different words asked for.
  for (let last = 0; last < matches.length; last += 1) {
    const end = matches[last]?.at ?? 0;
    while (end - (matches[first]?.at ?? 0) > window - 40) first += 1;
    const count = new Set(matches.slice(first, last + 1).map((match) => match.term)).size;
    if (count > bestCount) {
      bestCount = count;
      bestStart = matches[first]?.at ?? 0;
    }
  }
  let start = Math.max(0, Math.min(bestStart - 40, flat.length - window));
  if (start > 0) start = flat.indexOf(' ', start) + 1;
  let end = Math.min(flat.length, start + window);
  if (end < flat.length) {
    const space = flat.lastIndexOf(' ', end);
    end = space > start ? space : end;
  }
  const cut = flat.slice(start, end).toWellFormed().trim();
  return `${start > 0 ? '… ' : ''}${cut}${end < flat.length ? ' …' : ''}`;
}
