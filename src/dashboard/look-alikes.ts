// Attack: a domain that reads like one the org knows. Two domains are alike when they look the same letter by
// letter, or differ by one slip of the hand.
import { domainToUnicode } from 'node:url';

// What the eye takes for a Latin letter (Unicode UTS 39, confusables: the part that occurs in domain names).
const sameShape: Record<string, string> = {
  а: 'a',
  ạ: 'a',
  ɑ: 'a',
  α: 'a',
  ь: 'b',
  с: 'c',
  ϲ: 'c',
  ԁ: 'd',
  е: 'e',
  ё: 'e',
  ҽ: 'e',
  ɡ: 'g',
  һ: 'h',
  і: 'i',
  ı: 'i',
  ϳ: 'j',
  ј: 'j',
  κ: 'k',
  к: 'k',
  ӏ: 'l',
  ո: 'n',
  п: 'n',
  о: 'o',
  ο: 'o',
  օ: 'o',
  σ: 'o',
  р: 'p',
  ρ: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  τ: 't',
  υ: 'u',
  ս: 'u',
  ѵ: 'v',
  ν: 'v',
  ԝ: 'w',
  ѡ: 'w',
  х: 'x',
  χ: 'x',
  у: 'y',
  γ: 'y',
  ʏ: 'y',
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '5': 's',
  '|': 'l',
};
const pairs: readonly (readonly [string, string])[] = [
  ['rn', 'm'],
  ['vv', 'w'],
  ['cl', 'd'],
];

/** A domain as the eye reads it: marks dropped, letters of other alphabets and digits as what they look like. */
export function skeleton(domain: string): string {
  const plain = domainToUnicode(domain.toLowerCase()) || domain.toLowerCase();
  const letters = [...plain.normalize('NFKD').replace(/\p{M}/gu, '')].map((one) => sameShape[one] ?? one);
  return pairs
    .reduce((text, [two, one]) => text.replaceAll(two, one), letters.join(''))
    .replaceAll('i', 'l')
    .replaceAll('-', '');
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
