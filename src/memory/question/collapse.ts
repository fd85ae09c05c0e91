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

/** Half of the fingerprint: a bit is 1 where more than half of the words' hashes have it. */
function majority(words: ReadonlySet<string>, seed: number): number {
  // Each number counts four bits, a byte each, so it is emptied before a byte is full.
  const counting = new Int32Array(8);
  const ones = new Int32Array(32);
  let uncounted = 0;
  const count = () => {
    for (let bit = 0; bit < 32; bit += 1) {
      ones[bit] = (ones[bit] ?? 0) + (((counting[bit & 7] ?? 0) >>> (bit & 24)) & 255);
    }
    counting.fill(0);
    uncounted = 0;
  };
  for (const word of words) {
    const hashed = hash(word, seed);
    for (let k = 0; k < 8; k += 1) counting[k] = (counting[k] ?? 0) + ((hashed >>> k) & 0x01010101);
    uncounted += 1;
    if (uncounted === 255) count();
  }
  count();
  let value = 0;
  for (let bit = 0; bit < 32; bit += 1) if ((ones[bit] ?? 0) * 2 > words.size) value |= 1 << bit;
  return value >>> 0;
}

/** A fingerprint that differs little where texts do; undefined for a text that is too short to be told by it. */
export function simhash(body: string): [number, number] | undefined {
  const words = new Set(body.split(' '));
  if (words.size < fewestTerms) return undefined;
  return [majority(words, 0x811c9dc5), majority(words, 0x050c5d1f)];
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
