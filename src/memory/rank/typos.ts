// A word that no chunk holds may be a name that was mistyped: the commonest word near it stands in, for less.
import type { Collection } from './collection.ts';
import { type AskedTerm, idfOf } from './words.ts';

const shortest = 4;
/** From this length on two letters may be wrong. */
const long = 8;
/** What a mended word counts for, beside one that was written as it stands. */
const share = 0.7;

/** Numbers and addresses are never mended: another number is another thing. */
const mendable = (term: string) => term.length >= shortest && /^[\p{L}'-]+$/u.test(term);

/** Terms that the collection does not hold are replaced by one that it does; what cannot be mended stays unmet. */
export function withTyposMended(collection: Collection, asked: readonly AskedTerm[]): AskedTerm[] {
  const known = new Set(asked.map(({ term }) => term));
  return asked.map((one) => {
    if (one.postings !== undefined || !mendable(one.term)) return one;
    const [near] = collection.similar(one.term, one.term.length >= long ? 2 : 1);
    if (near === undefined || known.has(near)) return one;
    const postings = collection.postings(near);
    const idf = share * idfOf(collection.live, collection.frequency(near));
    return postings === undefined ? one : { term: near, asked: one.asked, idf, postings };
  });
}
