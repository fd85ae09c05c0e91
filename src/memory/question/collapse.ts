// Hits that say the same, or stand in the same conversation, become one with a count: the best stays.
import type { Weighed } from './weigh.ts';

export interface Collapsed extends Weighed {
  /** Further hits of the same thread. */
  inThread: number;
  /** Other documents that say the same. */
  copies: number;
}

const talks = new Set(['mail', 'chat']);
/** A long document may answer twice; more of it is read with the document. */
const perDocument = 2;
const fewestTerms = 20;
/** Of 64 bits. */
const mostApart = 3;

/** FNV-1a of a word, twice with different beginnings: 64 bits in two numbers. */
function hash(word: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < word.length; i += 1) value = Math.imul(value ^ word.charCodeAt(i), 0x01000193);
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 12)) >>> 0;
}

/** A fingerprint that differs little where texts do; undefined for a text that is too short to be told by it. */
export function simhash(body: string): [number, number] | undefined {
  const words = new Set(body.split(' '));
  if (words.size < fewestTerms) return undefined;
  const sums = new Int32Array(64);
  for (const word of words) {
    const halves = [hash(word, 0x811c9dc5), hash(word, 0x050c5d1f)];
    for (let bit = 0; bit < 64; bit += 1) {
      const set = ((halves[bit >> 5] ?? 0) >>> (bit & 31)) & 1;
      sums[bit] = (sums[bit] ?? 0) + (set === 1 ? 1 : -1);
    }
  }
  const half = (from: number) => {
    let value = 0;
    for (let bit = 0; bit < 32; bit += 1) if ((sums[from + bit] ?? 0) > 0) value |= 1 << bit;
    return value >>> 0;
  };
  return [half(0), half(32)];
}

function bits(value: number): number {
  let left = value >>> 0;
  let count = 0;
  for (; left !== 0; count += 1) left &= left - 1;
  return count;
}

function alike(a: [number, number] | undefined, b: [number, number] | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return bits(a[0] ^ b[0]) + bits(a[1] ^ b[1]) <= mostApart;
}

/** `hits`: best first. */
export function collapse(hits: readonly Weighed[]): Collapsed[] {
  const kept: { hit: Collapsed; print: [number, number] | undefined }[] = [];
  const threads = new Map<string, Collapsed>();
  const documents = new Map<string, number>();
  for (const one of hits) {
    const { row } = one;
    const thread = talks.has(row.kind) && row.threadId !== null ? row.threadId : undefined;
    const known = thread === undefined ? undefined : threads.get(thread);
    if (known !== undefined) {
      known.inThread += 1;
      continue;
    }
    const shown = documents.get(row.documentId) ?? 0;
    if (shown >= perDocument) continue;
    const print = simhash(row.words().body);
    const copy = kept.find(
      ({ hit, print: other }) =>
        hit.row.documentId !== row.documentId &&
        (hit.row.contentHash === row.contentHash || alike(print, other)),
    );
    if (copy !== undefined) {
      copy.hit.copies += 1;
      continue;
    }
    const hit: Collapsed = { ...one, inThread: 0, copies: 0 };
    kept.push({ hit, print });
    documents.set(row.documentId, shown + 1);
    if (thread !== undefined) threads.set(thread, hit);
  }
  return kept.map(({ hit }) => hit);
}
