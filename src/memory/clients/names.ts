// How a client is told from others by name: words without case and diacritics.
import { fold } from '../language/stem.ts';
import { words } from '../language/terms.ts';

/** "Müller, Anna-Lena" → muller, anna, lena. */
export function nameWords(name: string): string[] {
  const found = new Set<string>();
  for (const { text } of words(name.normalize('NFKC'))) {
    const word = fold(text.toLowerCase().replace(/['’]s$/u, '')).replace(/[.'’]/gu, '');
    if (word !== '') found.add(word);
  }
  return [...found];
}

/** The key of a whole name, whatever its order; undefined for one word, which says nothing. */
export function nameKey(name: string): string | undefined {
  const known = nameWords(name);
  return known.length < 2 || name.includes('@') ? undefined : `name:${[...known].sort().join(' ')}`;
}

/** Whether two names can be one's: the words of one are among the other's, initials count for words. */
export function namesAgree(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a.includes('@') || b.includes('@')) return true;
  const [short, long] = [nameWords(a), nameWords(b)].sort((x, y) => x.length - y.length);
  if (short === undefined || long === undefined || short.length === 0) return true;
  const stands = (word: string) =>
    long.some(
      (other) =>
        other === word ||
        (word.length === 1 && other.startsWith(word)) ||
        (other.length === 1 && word.startsWith(other)),
    );
  return short.every(stands);
}
