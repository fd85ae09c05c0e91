// Adds to each row of the vocabulary the stem that the program's index keeps of its words, marked with a plus: so a
// stored passage can be embedded from its terms alone. Usage: node tools/embedder/stems.ts data/embedder/vocabulary.txt
import { readFileSync, writeFileSync } from 'node:fs';
import { stem } from '../../src/memory/language/stem.ts';

const file = process.argv[2];
if (file === undefined) throw new Error('Say which vocabulary.');
const rows = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((row) => row.split(' ').filter((word) => !word.startsWith('+')));
const words = new Map(rows.flatMap((row, i) => row.map((word) => [word, i] as const)));
const taken = new Set<string>();
// The row's shortest word first: where two rows share a stem, the commoner row has it.
const written = rows.map((row, i) => {
  const stems = [...new Set(row.map((word) => stem(word, 'en')))].filter((one) => {
    if (taken.has(one) || words.get(one) === i) return false;
    taken.add(one);
    return /^[a-z0-9]+$/u.test(one);
  });
  return [...row, ...stems.map((one) => `+${one}`)].join(' ');
});
writeFileSync(file, `${written.join('\n')}\n`);
