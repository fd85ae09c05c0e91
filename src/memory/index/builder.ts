// Chunks to postings: what is loose is searched in this form, and what is folded is written from it.
import { PageWriter } from './pages.ts';
import { PostingList } from './postings.ts';

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

export class PostingsBuilder {
  readonly #lists = new Map<string, PostingList>();
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
    for (const [term, count] of counts) {
      let list = this.#lists.get(term);
      if (list === undefined) {
        list = new PostingList();
        this.#lists.set(term, list);
      }
      list.add(this.slots, count >>> 16, count & 65_535);
    }
    this.slots += 1;
    return { header: inHeader, body: inBody };
  }

  find(term: string): PostingList | undefined {
    return this.#lists.get(term);
  }

  names(): Iterable<string> {
    return this.#names;
  }

  write(): Written {
    const pages: Uint8Array[] = [];
    const writer = new PageWriter((page) => pages.push(page));
    for (const term of [...this.#lists.keys()].sort()) {
      const list = this.#lists.get(term);
      if (list === undefined) continue;
      writer.add(term, list.count, list.last, list.sink.bytes.subarray(0, list.sink.length));
    }
    return { pages, directory: writer.end(), names: [...this.#names].sort().join('\n') };
  }
}
