// How a client is told from others by name: words without case and diacritics.
import { fold } from './language/stem.ts';
import { words } from './language/terms.ts';

/** "Müller, Anna-Lena" → muller, anna, lena. */
export function nameWords(name: string): string[] {
  const found = new Set<string>();
  for (const { text } of words(name.normalize('NFKC'))) {
    const word = fold(text.toLowerCase().replace(/['’]s$/u, '')).replace(/[.'’]/gu, '');
    if (word !== '') found.add(word);
  }
  return [...found];
}
