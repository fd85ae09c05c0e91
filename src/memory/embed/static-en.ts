// The built-in embedder: English word vectors trained from scratch for this project (tools/embedder/), summed
// and normalised. It needs no download and knows no order of words: a second arm beside BM25, never instead.
import { readFile } from 'node:fs/promises';
import type { Embedder } from './embedder.ts';
import { embedderFile } from './embedder-files.ts';

const rows = 38_000;
const dimensions = 256;
/** Words that the vocabulary holds, about twice as many places: look-ups end after a step or two. */
const places = 1 << 18;

/** Name and version as stored beside each vector; raised when the weights or the rule change. */
export const staticEnName = 'static-en-256@1';

export interface StaticModel {
  /** Unit vectors, a row a text; zeros where a text holds no known word. */
  passages(texts: readonly string[]): Float32Array;
  /**
   * A question's unit vector, or undefined where it holds no known word. `weightOf`: what a word counts for in the
   * collection that is asked (1 for all where that is unknown); forms of one word are asked about once.
   */
  question(text: string, weightOf?: (word: string) => number): Float32Array | undefined;
  /**
   * How near passages, known by the numbers of their indexed `terms`, are to a question's vector by what they say beside
   * the terms in `without`: a word that both hold makes any two texts look alike. The best of each passage's windows
   * counts.
   */
  contexts(
    question: Float32Array,
    passages: readonly Int32Array[],
    terms: readonly string[],
    without: ReadonlySet<string>,
  ): Float32Array;
}

interface Vocabulary {
  /** Row + 1 by place, 0 where free; and where the word of that place stands in `letters`. */
  row: Uint16Array;
  start: Uint32Array;
  letters: Uint8Array;
}

/** Terms looked at together in `contexts`, as passages are embedded. */
const window = 100;

const newline = 10;
/** Marks a stem in the vocabulary: no word of a text begins with it. */
const plus = 43;
const space = 32;

/** FNV-1a, a letter at a time. */
const seed = 0x811c9dc5;
const mix = (hash: number, letter: number) => Math.imul(hash ^ letter, 0x01000193);

/** A hash table in three arrays: as a Map of strings it would take ten times the memory. */
function readVocabulary(letters: Uint8Array): Vocabulary {
  const row = new Uint16Array(places);
  const start = new Uint32Array(places);
  let at = 0;
  let line = 0;
  let hash = seed;
  for (let i = 0; i < letters.length; i += 1) {
    const letter = letters[i] ?? 0;
    if (letter !== space && letter !== newline) {
      hash = mix(hash, letter);
      continue;
    }
    if (i > at) {
      let place = (hash >>> 0) & (places - 1);
      while (row[place] !== 0) place = (place + 1) & (places - 1);
      row[place] = line + 1;
      start[place] = at;
    }
    at = i + 1;
    hash = seed;
    if (letter === newline) line += 1;
  }
  if (line !== rows) throw new Error(`vocabulary.txt has ${line} rows and should have ${rows}`);
  return { row, start, letters };
}

/** `marked`: of the stem that is written so, with a plus before it. */
function rowOf(
  { row, start, letters }: Vocabulary,
  { text, from, to, hash, marked }: { text: string; from: number; to: number; hash: number; marked: boolean },
): number {
  const length = to - from;
  const before = marked ? 1 : 0;
  for (let place = (hash >>> 0) & (places - 1); ; place = (place + 1) & (places - 1)) {
    const found = row[place] as number;
    if (found === 0) return -1;
    const begin = start[place] as number;
    if (marked && letters[begin] !== plus) continue;
    const at = begin + before;
    let same = 0;
    while (same < length && letters[at + same] === text.charCodeAt(from + same)) same += 1;
    const next = letters[at + length];
    if (same === length && (next === space || next === newline)) return found - 1;
  }
}

/** Calls `each` for every token that the vocabulary holds: runs of a–z and 0–9, all else separates. */
function eachKnown(
  vocabulary: Vocabulary,
  text: string,
  each: (row: number, from: number, to: number) => void,
): void {
  let from = 0;
  let hash = seed;
  for (let i = 0; i <= text.length; i += 1) {
    const letter = i < text.length ? text.charCodeAt(i) : 0;
    if ((letter >= 97 && letter <= 122) || (letter >= 48 && letter <= 57)) {
      hash = mix(hash, letter);
      continue;
    }
    if (i > from) {
      const row = rowOf(vocabulary, { text, from, to: i, hash, marked: false });
      if (row >= 0) each(row, from, i);
    }
    from = i + 1;
    hash = seed;
  }
}

/** The row of an indexed term: a stem, or a word that is its own stem. -1 where the model does not know it. */
function rowOfTerm(vocabulary: Vocabulary, term: string): number {
  const to = term.length;
  let hash = seed;
  let hashMarked = mix(seed, plus);
  for (let i = 0; i < to; i += 1) {
    const letter = term.charCodeAt(i);
    hash = mix(hash, letter);
    hashMarked = mix(hashMarked, letter);
  }
  const word = rowOf(vocabulary, { text: term, from: 0, to, hash, marked: false });
  if (word >= 0) return word;
  return rowOf(vocabulary, { text: term, from: 0, to, hash: hashMarked, marked: true });
}

function modelOf(vocabulary: Vocabulary, weights: Int8Array, scale: Float32Array): StaticModel {
  // Counts by row, left at zero after each text: a text costs what its own words cost.
  const counts = new Uint32Array(rows);
  const met = new Uint32Array(rows);
  const vector = new Float32Array(dimensions);
  const sum = new Float64Array(dimensions);

  function pool(
    text: string,
    out: Float32Array,
    offset: number,
    weightOf?: (word: string) => number,
  ): boolean {
    const lower = text.toLowerCase();
    const factors = weightOf === undefined ? undefined : new Map<number, number>();
    let distinct = 0;
    eachKnown(vocabulary, lower, (row, from, to) => {
      const before = counts[row] ?? 0;
      counts[row] = before + 1;
      if (before > 0) return;
      met[distinct] = row;
      distinct += 1;
      if (weightOf !== undefined) factors?.set(row, weightOf(lower.slice(from, to)));
    });
    return pooled(distinct, out, offset, factors);
  }

  /** The unit vector of the first rows in `met`; false where it would have no length. Leaves the counts at zero. */
  function pooled(
    distinct: number,
    out: Float32Array,
    offset: number,
    factors?: Map<number, number>,
  ): boolean {
    sum.fill(0);
    const begin = (i: number) => (met[i] as number) * dimensions;
    const takeFactor = (i: number) => {
      const row = met[i] as number;
      const count = counts[row] as number;
      counts[row] = 0;
      return (1 + Math.log(count)) * (scale[row] as number) * (factors?.get(row) ?? 1);
    };
    // Four rows in one go over the sum, added one after another: to the last bit what one at a time gives.
    let i = 0;
    for (; i + 3 < distinct; i += 4) {
      const one = takeFactor(i);
      const two = takeFactor(i + 1);
      const three = takeFactor(i + 2);
      const four = takeFactor(i + 3);
      const first = begin(i);
      const second = begin(i + 1);
      const third = begin(i + 2);
      const fourth = begin(i + 3);
      for (let d = 0; d < dimensions; d += 1) {
        sum[d] =
          (sum[d] as number) +
          one * (weights[first + d] as number) +
          two * (weights[second + d] as number) +
          three * (weights[third + d] as number) +
          four * (weights[fourth + d] as number);
      }
    }
    for (; i < distinct; i += 1) {
      const factor = takeFactor(i);
      const from = begin(i);
      for (let d = 0; d < dimensions; d += 1)
        sum[d] = (sum[d] as number) + factor * (weights[from + d] as number);
    }
    let square = 0;
    for (let d = 0; d < dimensions; d += 1) square += (sum[d] as number) ** 2;
    if (square === 0) return false;
    const norm = Math.sqrt(square);
    for (let d = 0; d < dimensions; d += 1) out[offset + d] = (sum[d] as number) / norm;
    return true;
  }

  function context(question: Float32Array, passage: Int32Array, rowOfNumber: Int32Array): number {
    let best = 0;
    for (let from = 0; from < passage.length; from += window) {
      let distinct = 0;
      for (let i = from; i < Math.min(passage.length, from + window); i += 1) {
        const row = rowOfNumber[passage[i] ?? 0] ?? -1;
        if (row < 0) continue;
        const before = counts[row] ?? 0;
        counts[row] = before + 1;
        if (before > 0) continue;
        met[distinct] = row;
        distinct += 1;
      }
      if (!pooled(distinct, vector, 0)) continue;
      let cosine = 0;
      for (let d = 0; d < dimensions; d += 1) cosine += (vector[d] as number) * (question[d] as number);
      best = Math.max(best, cosine);
    }
    return best;
  }

  return {
    passages(texts) {
      const out = new Float32Array(texts.length * dimensions);
      texts.forEach((text, i) => {
        pool(text, out, i * dimensions);
      });
      return out;
    },
    question(text, weightOf) {
      const out = new Float32Array(dimensions);
      return pool(text, out, 0, weightOf) ? out : undefined;
    },
    contexts(question, passages, terms, without) {
      // Not Int32Array.from: over a thousand terms, its iteration costs as much as the look-ups.
      const rowOfNumber = new Int32Array(terms.length);
      terms.forEach((term, i) => {
        rowOfNumber[i] = without.has(term) ? -1 : rowOfTerm(vocabulary, term);
      });
      return Float32Array.from(passages, (passage) => context(question, passage, rowOfNumber));
    },
  };
}

async function load(): Promise<StaticModel> {
  const [weights, letters] = await Promise.all([
    readFile(embedderFile('weights.bin')),
    readFile(embedderFile('vocabulary.txt')),
  ]);
  const bytes = rows * dimensions;
  if (weights.length !== bytes + rows * 4) throw new Error(`weights.bin has ${weights.length} bytes`);
  // In the memory that they were read into: a copy would be another ten megabytes. The scales are few, and may lie askew.
  const { buffer, byteOffset } = weights;
  const scales = new Float32Array(new Uint8Array(buffer, byteOffset + bytes, rows * 4).slice().buffer);
  return modelOf(readVocabulary(letters), new Int8Array(buffer, byteOffset, bytes), scales);
}

let loading: Promise<StaticModel> | undefined;

/** Read from the package's data on first use, once a thread. */
export function loadStaticEn(): Promise<StaticModel> {
  loading ??= load();
  return loading;
}

/** The built-in model as any other embedder; a question here knows nothing of the collection that is asked. */
export const staticEn: Embedder = {
  name: staticEnName,
  dimensions,
  async embed(texts, _kind, signal) {
    signal?.throwIfAborted();
    return (await loadStaticEn()).passages(texts);
  },
};
