// The reference: plain BM25 (k1 1.2, b 0.75, Robertson–Spärck Jones idf as Lucene has it) over one field of
// English stems without function words, in memory; a word asked for twice counts twice.
import snowball from 'snowball-stemmers';
import { stopWords } from '../src/memory/language/stop-words.ts';

interface Document {
  _id: string;
  text: string;
  title?: string;
  scope?: string;
}

const k1 = 1.2;
const b = 0.75;

/** The collection's documents, ranked for a question, inside its scope where it has one. */
export function createPlainBm25(
  corpus: readonly Document[],
): (question: string, scope?: string) => { id: string; score: number }[] {
  const stemmer = snowball.newStemmer('english');
  const stems = new Map<string, string>();
  const stem = (word: string): string => {
    let known = stems.get(word);
    if (known === undefined) {
      known = stemmer.stem(word);
      stems.set(word, known);
    }
    return known;
  };
  const tokens = (text: string) =>
    (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
      .filter((word) => stopWords.get('en')?.has(word) !== true)
      .map(stem);

  const postings = new Map<string, Map<number, number>>();
  const lengths = corpus.map((document, at) => {
    const found = tokens(`${document.title ?? ''} ${document.text}`);
    for (const term of found) {
      const known = postings.get(term) ?? new Map<number, number>();
      postings.set(term, known.set(at, (known.get(at) ?? 0) + 1));
    }
    return found.length;
  });
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;

  return (question, scope) => {
    const scores = new Map<number, number>();
    for (const term of tokens(question)) {
      const documents = postings.get(term);
      if (documents === undefined) continue;
      const idf = Math.log(1 + (corpus.length - documents.size + 0.5) / (documents.size + 0.5));
      for (const [at, count] of documents) {
        if (scope !== undefined && corpus[at]?.scope !== scope) continue;
        const norm = k1 * (1 - b + (b * (lengths[at] ?? 0)) / mean);
        scores.set(at, (scores.get(at) ?? 0) + (idf * count * (k1 + 1)) / (count + norm));
      }
    }
    return [...scores]
      .sort(([x, p], [y, q]) => q - p || x - y)
      .slice(0, 100)
      .map(([at, score]) => ({ id: corpus[at]?._id ?? '', score }));
  };
}
