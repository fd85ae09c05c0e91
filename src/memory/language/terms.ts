// Text to the terms it is found under, the same way for documents and for questions: segmented by
// Intl.Segmenter, e-mail addresses and numbers kept whole as well as in parts, words stemmed.
import { stem } from './stem.ts';

/** One locale on every machine: word boundaries of scripts without spaces come from ICU's dictionaries. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

const address = /[\p{L}\p{N}][\p{L}\p{N}._%+-]*@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
/** INV-2024-0117, il-6, 2024-03-05, e-mail, x-ray: parts that mean something together. */
const joined =
  /(?<![\p{L}\p{N}])(?=[\p{L}\p{N}-]*\p{N}|\p{L}-)[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)+(?![\p{L}\p{N}])/gu;
const spacedThousands = /(?<!\p{N})\d{1,3}(?:[  \u202f]\d{3})+(?!\d)/gu;
const magnitude = /(\d+(?:[.,]\d+)?)\s?(k|m|mn|mio|million|millionen|millions|bn|billion)(?![\p{L}\p{N}])/giu;
const magnitudes: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  mn: 1e6,
  mio: 1e6,
  million: 1e6,
  millionen: 1e6,
  millions: 1e6,
  bn: 1e9,
  billion: 1e9,
};
const elision = /^(?:l|d|j|m|n|s|t|c|qu|jusqu|lorsqu|puisqu|dell|nell|sull|dall|all|un|quest)'(?=\p{L}{2})/u;
const withoutSpaces = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
/** A term longer than this is no word (a hash, base 64) and would only fill the index. */
const maxTermLength = 64;

export interface Word {
  /** As written. */
  text: string;
  /** UTF-16 offset in the text. */
  start: number;
}

/** The words of a text in order, by Unicode's word boundaries. */
export function* words(text: string): Generator<Word> {
  for (const part of segmenter.segment(text)) {
    if (part.isWordLike === true) yield { text: part.segment, start: part.index };
  }
}

/** 1,250,000 and 1.250.000,00 and 1250000 are one number; 3,5 and 3.5 another. */
function plainNumber(written: string): string {
  const grouped = /^\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?$/u.exec(written);
  let plain = written;
  if (grouped !== null) {
    const decimals = /[.,](\d{1,2})$/u.exec(written);
    const whole = decimals === null ? written : written.slice(0, decimals.index);
    plain = whole.replace(/[.,']/gu, '') + (decimals === null ? '' : `.${decimals[1]}`);
  } else plain = written.replaceAll(',', '.');
  return plain.replace(/\.0+$/u, '');
}

function pairs(word: string): string[] {
  const letters = Array.from(word);
  if (letters.length < 3) return [];
  return letters.slice(0, -1).map((letter, i) => letter + (letters[i + 1] ?? ''));
}

/**
 * The terms of one word as segmented: usually one; several for `example.com`, for several languages, and
 * for a long word of a script without spaces (its pairs too, so that a part of it is found).
 */
export function termsOfWord(word: string, languages: readonly string[]): string[] {
  const plain = word
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(elision, '')
    .replace(/'s?$/u, '');
  if (plain === '' || plain.length > maxTermLength) return [];
  if (/^\d[\d.,']*$/u.test(plain)) return [plainNumber(plain)];
  if (/[._:']/u.test(plain)) {
    const parts = plain.split(/[._:']+/u).filter((part) => part !== '');
    if (parts.every((part) => part.length === 1)) return [parts.join('')];
    const stems = parts.flatMap((part) => termsOfWord(part, languages));
    return plain.includes("'") ? stems : [plain, ...stems];
  }
  if (withoutSpaces.test(plain)) return [plain, ...pairs(plain)];
  const first = languages[0] ?? '';
  if (languages.length <= 1) return [stem(plain, first)];
  return [...new Set(languages.map((language) => stem(plain, language)))];
}

/** Terms of what means something only as a whole: addresses, identifiers, amounts. */
function wholes(text: string): string[] {
  const found: string[] = [];
  if (text.includes('@')) for (const [whole] of text.matchAll(address)) found.push(whole.toLowerCase());
  if (text.includes('-')) {
    for (const [whole] of text.matchAll(joined)) {
      const lower = whole.toLowerCase();
      found.push(/\p{N}/u.test(lower) ? lower : stem(lower.replaceAll('-', ''), 'en'));
    }
  }
  if (/\d/u.test(text)) {
    for (const [whole] of text.matchAll(spacedThousands)) found.push(whole.replace(/\D/gu, ''));
    for (const [, amount = '', unit = ''] of text.matchAll(magnitude)) {
      const value = Number(plainNumber(amount)) * (magnitudes[unit.toLowerCase()] ?? 1);
      if (Number.isFinite(value)) found.push(String(value));
    }
  }
  return found.filter((term) => term.length <= maxTermLength);
}

/** The terms of a text by what they stand for: those of one word together, and each whole of several words alone. */
export function termsByWord(text: string, languages: readonly string[]): string[][] {
  const left = wholes(text);
  const groups: string[][] = [];
  for (const word of words(text)) {
    const group = termsOfWord(word.text, languages);
    for (const whole of wholes(word.text)) {
      const at = left.indexOf(whole);
      if (at < 0) continue;
      left.splice(at, 1);
      group.push(whole);
    }
    if (group.length > 0) groups.push(group);
  }
  return [...groups, ...left.map((whole) => [whole])];
}

/** Every term of a text, repeats included, wholes last. `languages`: one for a document, several for a question. */
export function terms(text: string, languages: readonly string[]): string[] {
  const found: string[] = [];
  for (const word of words(text)) for (const term of termsOfWord(word.text, languages)) found.push(term);
  for (const term of wholes(text)) found.push(term);
  return found;
}
