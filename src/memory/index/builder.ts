// Chunks to postings: what is loose is searched in this form, and what is folded is written from it.
import { PageWriter } from './pages.ts';
import { mostCounted, PostingList } from './postings.ts';

/** In front of terms that no text holds: whom a document concerns, and which thread it stands in. */
const mark = '\u0001';
export const addressTerm = (address: string): string => `${mark}a${address}`;
export const threadTerm = (thread: number): string => `${mark}t${thread.toString(36)}`;

/** Names, as they are mistyped: letters, neither very short nor very long. */
const nameShape = /^\p{L}{4,24}$/u;

/** What the index takes of a chunk. */
export interface Indexed {
  /** Terms joined by spaces. */
  header: string;
  body: string;
  /** Not to be counted as words: see `addressTerm`. */
  marks: readonly string[];
}

export interface Written {
  pages: Uint8Array[];
  directory: Uint8Array;
  /** Terms of headers that are like names, in order, joined by line feeds. */
  names: string;
}

/**
 * Postings in the order of their chunks, each with its term's posting before it. As a list a term, most of which hold
 * one chunk, they would take five times the memory.
 */
class Chained {
  /** How many there are, and how many have room. */
  length = 0;
  #slot = new Uint32Array(1024);
  #header = new Uint8Array(1024);
  #body = new Uint8Array(1024);
  /** The term's posting before it; -1 for none. */
  #before = new Int32Array(1024);

  #grow(): void {
    const wider = <Kind extends Uint8Array | Uint32Array | Int32Array>(old: Kind, fresh: Kind): Kind => {
      fresh.set(old);
      return fresh;
    };
    const capacity = Math.ceil(this.#slot.length * 1.5);
    this.#slot = wider(this.#slot, new Uint32Array(capacity));
    this.#header = wider(this.#header, new Uint8Array(capacity));
    this.#body = wider(this.#body, new Uint8Array(capacity));
    this.#before = wider(this.#before, new Int32Array(capacity));
  }

  /** @returns its number */
  add(slot: number, { header, body, before }: { header: number; body: number; before: number }): number {
    if (this.length === this.#slot.length) this.#grow();
    const at = this.length;
    this.#slot[at] = slot;
    this.#header[at] = Math.min(header, mostCounted);
    this.#body[at] = Math.min(body, mostCounted);
    this.#before[at] = before;
    this.length += 1;
    return at;
  }

  /** The `count` postings that end with number `last`. */
  list(last: number, count: number): PostingList {
    const numbers = new Uint32Array(count);
    for (let i = count - 1, at = last; i >= 0; i -= 1, at = this.#before[at] ?? -1) numbers[i] = at;
    const list = new PostingList();
    for (const at of numbers) list.add(this.#slot[at] ?? 0, this.#header[at] ?? 0, this.#body[at] ?? 0);
    return list;
  }
}

export class PostingsBuilder {
  /** Where a term's numbers stand in the arrays beside. */
  readonly #terms = new Map<string, number>();
  #last = new Uint32Array(1024);
  #count = new Uint32Array(1024);
  readonly #postings = new Chained();
  readonly #names = new Set<string>();
  readonly #counts = new Map<string, number>();
  slots = 0;

  /** Adds the chunk of the next slot. @returns how many terms its header and its body have */
  add({ header, body, marks }: Indexed): { header: number; body: number } {
    const counts = this.#counts;
    counts.clear();
    let inHeader = 0;
    let inBody = 0;
    // Header in the upper part, body in the lower: one look-up a word.
    for (const term of header.split(' ')) {
      if (term === '') continue;
      inHeader += 1;
      const before = counts.get(term);
      if (before === undefined && nameShape.test(term)) this.#names.add(term);
      counts.set(term, (before ?? 0) + 65_536);
    }
    for (const term of body.split(' ')) {
      if (term === '') continue;
      inBody += 1;
      counts.set(term, (counts.get(term) ?? 0) + 1);
    }
    for (const term of marks) counts.set(term, 1);
    for (const [term, count] of counts) this.#addPosting(term, count >>> 16, count & 65_535);
    this.slots += 1;
    return { header: inHeader, body: inBody };
  }

  #addPosting(term: string, header: number, body: number): void {
    let place = this.#terms.get(term);
    let before = -1;
    if (place === undefined) {
      place = this.#terms.size;
      this.#terms.set(term, place);
      if (place === this.#last.length) this.#grow();
    } else before = this.#last[place] ?? -1;
    this.#last[place] = this.#postings.add(this.slots, { header, body, before });
    this.#count[place] = (this.#count[place] ?? 0) + 1;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#last.length * 1.5);
    const [last, count] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    last.set(this.#last);
    count.set(this.#count);
    this.#last = last;
    this.#count = count;
  }

  /** How many chunks hold the term. */
  count(term: string): number {
    const place = this.#terms.get(term);
    return place === undefined ? 0 : (this.#count[place] ?? 0);
  }

  find(term: string): PostingList | undefined {
    const place = this.#terms.get(term);
    return place === undefined
      ? undefined
      : this.#postings.list(this.#last[place] ?? 0, this.#count[place] ?? 0);
  }

  names(): Iterable<string> {
    return this.#names;
  }

  write(): Written {
    const pages: Uint8Array[] = [];
    const writer = new PageWriter((page) => pages.push(page));
    for (const term of [...this.#terms.keys()].sort()) {
      const list = this.find(term);
      if (list === undefined) continue;
      writer.add(term, list.count, list.last, list.sink.bytes.subarray(0, list.sink.length));
    }
    return { pages, directory: writer.end(), names: [...this.#names].sort().join('\n') };
  }
}
