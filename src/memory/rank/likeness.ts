// How like the best passages are to each other by their words: what the question's best passages agree on counts
// for each of them. Needs no statistics but those of the passages themselves.
import type { Reading } from './reading.ts';

/** Of more than this share of the passages a word says nothing; of one alone it likens nothing. */
const tooMany = 0.5;

/** Where each term stands: the passages by term, one after another, and how often in each. */
function holdersOf({ passages, terms }: Reading): {
  begins: Uint32Array;
  holder: Uint16Array;
  times: Uint16Array;
} {
  const counts = new Uint32Array(terms.length + 1);
  const last = new Int32Array(terms.length).fill(-1);
  passages.forEach((passage, i) => {
    for (const term of passage) {
      if (last[term] === i) continue;
      last[term] = i;
      counts[term + 1] = (counts[term + 1] ?? 0) + 1;
    }
  });
  for (let term = 0; term < terms.length; term += 1)
    counts[term + 1] = (counts[term + 1] ?? 0) + (counts[term] ?? 0);
  const all = counts[terms.length] ?? 0;
  const holder = new Uint16Array(all);
  const times = new Uint16Array(all);
  const ends = counts.slice(0, terms.length);
  last.fill(-1);
  passages.forEach((passage, i) => {
    for (const term of passage) {
      let end = ends[term] ?? 0;
      if (last[term] !== i) {
        last[term] = i;
        holder[end] = i;
        end += 1;
        ends[term] = end;
      }
      times[end - 1] = (times[end - 1] ?? 0) + 1;
    }
  });
  return { begins: counts, holder, times };
}

/** Cosines of the passages' weighted words, row by row; the diagonal is 0. */
export function likeness(reading: Reading): Float32Array {
  const { passages, terms } = reading;
  const count = passages.length;
  const { begins, holder, times } = holdersOf(reading);
  const like = new Float32Array(count * count);
  const squares = new Float64Array(count);
  const length = passages.reduce((sum, passage) => sum + passage.length, 0) / (count || 1) || 1;
  // BM25's saturation and lengths, over the passages alone.
  const norms = passages.map((passage) => 0.3 + (0.9 * passage.length) / length);
  const weights = new Float64Array(count);
  for (let term = 0; term < terms.length; term += 1) {
    const begin = begins[term] ?? 0;
    const end = begins[term + 1] ?? 0;
    if (end - begin > count * tooMany) continue;
    const idf = Math.log((count + 1) / (end - begin));
    for (let i = begin; i < end; i += 1) {
      const one = holder[i] ?? 0;
      const time = times[i] ?? 0;
      const weight = (idf * time) / (time + (norms[one] ?? 1));
      weights[i - begin] = weight;
      squares[one] = (squares[one] ?? 0) + weight * weight;
      // Holders ascend: only the lower half is filled.
      for (let j = begin; j < i; j += 1) {
        const cell = one * count + (holder[j] ?? 0);
        like[cell] = (like[cell] ?? 0) + weight * (weights[j - begin] ?? 0);
      }
    }
  }
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const cosine = (like[i * count + j] ?? 0) / (Math.sqrt((squares[i] ?? 0) * (squares[j] ?? 0)) || 1);
      like[i * count + j] = cosine;
      like[j * count + i] = cosine;
    }
  }
  return like;
}

/** For each passage the mean score of the `nearest` passages most like it, weighted by how like they are. */
export function borrowed(scores: readonly number[], like: Float32Array, nearest: number): number[] {
  const count = scores.length;
  return scores.map((own, i) => {
    const row = like.subarray(i * count, (i + 1) * count);
    const least = row.toSorted().at(-nearest) ?? 0;
    let sum = 0;
    let weight = 0;
    for (let j = 0; j < count; j += 1) {
      const alike = row[j] ?? 0;
      if (alike === 0 || alike < least) continue;
      sum += alike * (scores[j] ?? 0);
      weight += alike;
    }
    return weight === 0 ? own : sum / weight;
  });
}
