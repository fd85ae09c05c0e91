// Attack: a domain that reads like one the org knows. Two domains are alike when they look the same letter by
// letter (Unicode UTS 39), or differ by one slip of the hand or by their end alone.
import { domainToASCII, domainToUnicode } from 'node:url';
import { confusables } from './confusables.ts';

// Beyond Unicode's table, which is of equal shapes: what passes for a letter in a hurry, and digits for letters.
const nearly: Record<string, string> = {
  ĸ: 'k',
  κ: 'k',
  к: 'k',
  п: 'n',
  π: 'n',
  г: 'r',
  т: 't',
  τ: 't',
  ᴛ: 't',
  χ: 'x',
  ь: 'b',
  ӏ: 'l',
  '3': 'e',
  '5': 's',
};
const pairs: readonly (readonly [string, string])[] = [
  ['rn', 'm'],
  ['vv', 'w'],
  ['cl', 'd'],
];

function inUnicode(domain: string): string {
  return domainToUnicode(domain.toLowerCase()) || domain.toLowerCase();
}

const withoutMarks = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '');

/** A text as the eye reads it: the skeleton of UTS 39, section 4, in small letters and without marks. */
function shapeOf(text: string): string {
  const mapped = [...withoutMarks(text)].map((one) => nearly[one] ?? confusables.get(one) ?? one).join('');
  return [...withoutMarks(mapped.toLowerCase())].map((one) => nearly[one] ?? one).join('');
}

/** A domain as the eye reads it, also where two letters pass for one. */
export function skeleton(domain: string): string {
  return pairs
    .reduce((text, [two, one]) => text.replaceAll(two, one), shapeOf(inUnicode(domain)))
    .replaceAll('i', 'l')
    .replaceAll('-', '');
}

const scripts = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Thai',
  'Georgian',
  'Hangul',
  'Hiragana',
  'Katakana',
  'Han',
  'Bopomofo',
  'Cherokee',
  'Coptic',
  'Ethiopic',
  'Lisu',
] as const;
const patterns = scripts.map((script) => [script, new RegExp(`\\p{Script=${script}}`, 'u')] as const);
/** Belong to no writing of their own: digits, the hyphen, marks. */
const ofAll = /[\p{Script=Common}\p{Script=Inherited}]/u;
// What is written together in earnest (UTS 39, section 5.2, "highly restrictive").
const together: readonly (readonly string[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];

/** The writings of one label, by name; `another` for what is not in the list. */
function scriptsOf(label: string): string[] {
  const found = [...label]
    .filter((one) => !ofAll.test(one))
    .map((one) => patterns.find(([, pattern]) => pattern.test(one))?.[0] ?? 'another');
  return [...new Set(found)];
}

const asciiName = /^[a-z0-9.-]+$/;

/**
 * What is odd about a domain's letters, whatever is known: writings mixed in one label, or another alphabet that
 * reads as Latin. Undefined for a domain of ASCII.
 * @returns its ASCII form (punycode) and, where it is odd, why
 */
export function lettersOf(domain: string): { ascii: string; odd: string | undefined } | undefined {
  const name = inUnicode(domain);
  const ascii = domainToASCII(name) || name;
  if (asciiName.test(name)) return undefined;
  for (const label of name.split('.')) {
    const mixed = scriptsOf(label);
    const isUsual = together.some((set) => mixed.every((script) => set.includes(script)));
    if (mixed.length > 1 && !isUsual) return { ascii, odd: `Mixes ${mixed.join(' and ')} letters` };
    const shape = shapeOf(label);
    if (mixed.length > 0 && !mixed.includes('Latin') && asciiName.test(shape)) {
      return { ascii, odd: `Reads like ${shape} in ${mixed.join(' and ')} letters` };
    }
  }
  return { ascii, odd: undefined };
}

/** Whether one letter more, less or other, or two neighbours exchanged, makes one of the other. */
function isOneSlip(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  if (short.length < long.length) return short.slice(at) === long.slice(at + 1);
  if (short.slice(at + 1) === long.slice(at + 1)) return true;
  return (
    short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2)
  );
}

/** Below this, one letter makes another word rather than a slip. */
const shortestForSlip = 5;

/** The label that is registered, without what stands before and behind it. */
function nameOf(domain: string): string {
  const labels = domain.split('.');
  return labels.length < 2 ? domain : (labels.at(-2) ?? domain);
}

/** The known domain that this other one can be taken for; undefined where it is known, or like none. */
export function lookAlike(domain: string, known: ReadonlySet<string>): string | undefined {
  const asked = domain.toLowerCase();
  if (known.has(asked)) return undefined;
  // A part of a known domain belongs to the same owner.
  for (const one of known) if (asked.endsWith(`.${one}`)) return undefined;
  const shape = skeleton(asked);
  for (const one of known) {
    if (skeleton(one) === shape) return one;
    const [a, b] = [nameOf(asked), nameOf(one)];
    const sameEnd = asked.slice(asked.lastIndexOf('.')) === one.slice(one.lastIndexOf('.'));
    if (sameEnd && a.length >= shortestForSlip && (isOneSlip(a, b) || isOneSlip(skeleton(a), skeleton(b)))) {
      return one;
    }
    // The same name under another end: lakeside.example and lakeside.test.
    if (!sameEnd && a === b && a.length >= shortestForSlip) return one;
  }
  return undefined;
}
