// Terms and their postings in pages: a few hundred rare terms share one, a frequent term has one of its own.
// A directory names each page's first term, so that a term costs one row.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ByteSink, ByteSource } from './bytes.ts';

/** Four of them, with their rows, fill a page of the database file (16 kB). */
const pageBytes = 4_000;
/** In bytes. A longer page is one term's alone, and would be long to unpack. */
const mostPacked = 100_000;
/** Stands before a packed page; another begins with the length of its first term, which is not 0. */
const packedMark = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Entry {
  /** Chunks that hold the term, those included that have gone since. */
  count: number;
  /** The last slot, from the run's first. */
  last: number;
  bytes: Uint8Array;
}

/** As it is stored. */
function packed(page: Uint8Array): Uint8Array {
  if (page.length > mostPacked) return page;
  const bytes = deflateRawSync(page, { windowBits: 13, memLevel: 6 });
  if (bytes.length + 1 >= page.length) return page;
  const marked = new Uint8Array(bytes.length + 1);
  marked[0] = packedMark;
  marked.set(bytes, 1);
  return marked;
}

/** A page as it is read from. `stored`: as PageWriter gave it out, today or before pages were packed. */
export function plainPage(stored: Uint8Array): Uint8Array {
  if (stored[0] !== packedMark) return stored;
  // zlib hands out a view of a larger buffer, and pages are kept.
  return new Uint8Array(inflateRawSync(stored.subarray(1), { maxOutputLength: mostPacked }));
}

/** Takes terms in their order (as strings compare) and gives out pages as they fill. */
export class PageWriter {
  readonly #emit: (page: Uint8Array) => void;
  readonly #sink = new ByteSink(pageBytes * 2);
  readonly #firsts = new ByteSink(1024);
  pages = 0;

  constructor(emit: (page: Uint8Array) => void) {
    this.#emit = emit;
  }

  add(term: string, count: number, last: number, bytes: Uint8Array): void {
    if (this.#sink.length > 0 && this.#sink.length + bytes.length > pageBytes) this.#close();
    const name = encoder.encode(term);
    if (this.#sink.length === 0) {
      this.#firsts.number(name.length);
      this.#firsts.append(name);
    }
    this.#sink.number(name.length);
    this.#sink.append(name);
    this.#sink.number(count);
    this.#sink.number(last);
    this.#sink.number(bytes.length);
    this.#sink.append(bytes);
  }

  #close(): void {
    this.#emit(packed(this.#sink.taken()));
    this.#sink.clear();
    this.pages += 1;
  }

  /** Closes the last page. @returns the directory */
  end(): Uint8Array {
    if (this.#sink.length > 0) this.#close();
    return this.#firsts.taken();
  }
}

/** The first term of each page. */
export function readDirectory(bytes: Uint8Array): string[] {
  const source = new ByteSource(bytes);
  const firsts: string[] = [];
  while (!source.ended) firsts.push(decoder.decode(source.take(source.number())));
  return firsts;
}

/** The page that holds the term if any does; -1 when it would stand before the first. */
export function pageOf(directory: readonly string[], term: string): number {
  let low = 0;
  let high = directory.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((directory[middle] ?? '') <= term) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function same(page: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i += 1) if (page[at + i] !== name[i]) return false;
  return true;
}

export function findInPage(page: Uint8Array, term: string): Entry | undefined {
  const name = encoder.encode(term);
  const source = new ByteSource(page);
  while (!source.ended) {
    const length = source.number();
    const found = length === name.length && same(page, source.at, name);
    source.at += length;
    const count = source.number();
    const last = source.number();
    const size = source.number();
    if (found) return { count, last, bytes: source.take(size) };
    source.at += size;
  }
  return undefined;
}

/** All terms of a page in their order. */
export function* entriesOf(page: Uint8Array): Generator<Entry & { term: string }> {
  const source = new ByteSource(page);
  while (!source.ended) {
    const term = decoder.decode(source.take(source.number()));
    const count = source.number();
    const last = source.number();
    yield { term, count, last, bytes: source.take(source.number()) };
  }
}
