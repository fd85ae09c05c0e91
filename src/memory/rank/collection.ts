// What ranking sees of an org's chunks: one snapshot of typed arrays. Slots number the chunks from 0; a slot
// that is not alive holds a chunk that is gone. Everything here answers at once: it lives in the search worker.

/** Where a term stands, ascending by slot. */
export interface Postings {
  slots: Uint32Array;
  /** Occurrences in the header and in the body, beside `slots`; 255 stands for more. */
  header: Uint8Array;
  body: Uint8Array;
}

export interface Collection {
  /** Slots, those that are not alive included. */
  readonly slots: number;
  /** 1 by slot where its chunk is still there. */
  readonly alive: Uint8Array;
  /** Chunks alive: the N of an idf. */
  readonly live: number;
  /** Terms in each field by slot, 65,535 for more, and their means over the living. */
  readonly headerLength: Uint16Array;
  readonly bodyLength: Uint16Array;
  readonly meanHeaderLength: number;
  readonly meanBodyLength: number;
  /** The slot of the chunk before and after it, in its document or thread; -1 for none. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** 1 by slot where a document begins: its chunks follow one another. */
  readonly first: Uint8Array;
  /** When the record was written, ms; 0 for unknown. */
  writtenAt(slot: number): number;
  /** Of the whole collection; undefined where no living chunk holds the term. */
  postings(term: string): Postings | undefined;
  /** Living chunks that hold the term. */
  frequency(term: string): number;
  /** The terms of each body in their order: for proximity, phrases and feedback. A row of the store each: ask for few. */
  bodies(slots: readonly number[]): string[][];
  /** Terms of the collection at most `distance` edits away, commonest first: for names that were mistyped. */
  similar(term: string, distance: number): string[];
  /** Undefined while no chunk has a vector of the embedder that is in use. */
  readonly vectors: VectorArm | undefined;
}

/** Unit vectors of the chunks, of one embedder. */
export interface VectorArm {
  /** The nearest living slots that `admitted` (1 by slot) lets in, best first: a quantised pass, then exact cosines. */
  nearest(query: Float32Array, count: number, admitted?: Uint8Array): { slot: number; cosine: number }[];
  /** Exact; 0 where a slot has no vector, and for -1. */
  cosines(query: Float32Array, slots: readonly number[]): Float32Array;
}
