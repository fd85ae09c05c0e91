// The vectors of an org's chunks of one embedder: signatures in memory, the vectors themselves read where they
// are needed.
import type { VectorArm } from '../rank/collection.ts';
import type { OrgIndex } from './org-index.ts';
import { cosineWith, Signatures } from './signatures.ts';
import type { Stored } from './stored.sql.ts';

/** Signatures that pass the first look; the best of them are told apart exactly. */
const lookedAt = 600;

/** Bytes of vectors kept in memory, so that one that is asked for again costs no row: all of them where they are no more, else some. */
const mostKeptBytes = 25_600_000;
const someKeptBytes = 5_120_000;

/** Chunks that follow one another never share a place for their first vectors. */
const placeOf = (seq: number, part: number, capacity: number) => (seq + part * 31_337) % capacity;

/** The last vectors that were read: each has one place, by its chunk's number. */
class KeptVectors {
  readonly #dimensions: number;
  #capacity = 0;
  #bytes = new Int8Array(0);
  /** Chunk and part that stand in a place; the parts that the chunk has. */
  #chunk = new Uint32Array(0);
  #part = new Uint8Array(0);
  #parts = new Uint8Array(0);
  /** One chunk's vectors, handed out. */
  #whole = new Int8Array(0);

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
  }

  /** Makes room where there are `count` vectors. What was kept is forgotten when the room changes. */
  size(count: number): void {
    const mostKept = Math.floor(mostKeptBytes / this.#dimensions);
    const someKept = Math.floor(someKeptBytes / this.#dimensions);
    const wanted = count > mostKept ? someKept : count;
    if (wanted === this.#capacity || (wanted < this.#capacity && count <= mostKept)) return;
    this.#capacity = wanted === someKept ? someKept : Math.min(mostKept, Math.ceil(wanted * 1.5));
    this.#bytes = new Int8Array(this.#capacity * this.#dimensions);
    this.#chunk = new Uint32Array(this.#capacity);
    this.#part = new Uint8Array(this.#capacity);
    this.#parts = new Uint8Array(this.#capacity);
  }

  keep(seq: number, vectors: Int8Array): void {
    const parts = vectors.length / this.#dimensions;
    if (this.#capacity === 0 || parts > 200) return;
    for (let part = 0; part < parts; part += 1) {
      const place = placeOf(seq, part, this.#capacity);
      this.#chunk[place] = seq;
      this.#part[place] = part;
      this.#parts[place] = parts;
      const from = part * this.#dimensions;
      this.#bytes.set(vectors.subarray(from, from + this.#dimensions), place * this.#dimensions);
    }
  }

  /** Good until the next one is asked for. */
  find(seq: number): Int8Array | undefined {
    if (this.#capacity === 0) return undefined;
    const first = seq % this.#capacity;
    if (this.#chunk[first] !== seq || this.#part[first] !== 0) return undefined;
    const parts = this.#parts[first] ?? 0;
    if (parts === 1) return this.#bytes.subarray(first * this.#dimensions, (first + 1) * this.#dimensions);
    if (this.#whole.length < parts * this.#dimensions) this.#whole = new Int8Array(parts * this.#dimensions);
    for (let part = 0; part < parts; part += 1) {
      const place = placeOf(seq, part, this.#capacity);
      if (this.#chunk[place] !== seq || this.#part[place] !== part) return undefined;
      const from = place * this.#dimensions;
      this.#whole.set(this.#bytes.subarray(from, from + this.#dimensions), part * this.#dimensions);
    }
    return this.#whole.subarray(0, parts * this.#dimensions);
  }
}

export interface StoredVectors {
  /** Brings the signatures up to what `index` is; undefined where no chunk has a vector. */
  arm(index: OrgIndex, stored: Stored): VectorArm | undefined;
}

export function createStoredVectors(model: string, dimensions: number): StoredVectors {
  const signatures = new Signatures(dimensions);
  const kept = new KeptVectors(dimensions);
  /** Blocks whose stored signatures stand here, in their order from the first. */
  const blocks: number[] = [];
  /** The slot up to which they are read. */
  let upTo = 0;
  let epoch = -1;
  /** The change of the model at which they were read: vectors come after their chunks where a model is slow. */
  let seen = -1;

  /** Signatures of chunks in a row, made of their vectors. */
  function readVectors(index: OrgIndex, stored: Stored, to: number): void {
    const { slots } = index;
    if (upTo < to) {
      const first = slots.seqs[upTo] ?? 0;
      const last = slots.seqs[to - 1] ?? 0;
      for (const { seq, vector } of stored.vectorsBetween(model, first, last)) {
        const slot = slots.find(seq);
        if (slot >= 0) signatures.add({ place: slot, vectors: vector });
      }
    }
    upTo = to;
  }

  function update(index: OrgIndex, stored: Stored): void {
    const { slots } = index;
    const change = stored.embedderChange(model);
    if (epoch === index.epoch && upTo === slots.count && change === seen) return;
    if (epoch !== index.epoch || change !== seen) {
      let same = 0;
      while (same < blocks.length && blocks[same] === index.blocks[same]?.id) same += 1;
      const next = index.blocks[same];
      upTo = next === undefined ? index.looseBase : next.base;
      signatures.truncate(upTo);
      blocks.length = same;
      let all = true;
      for (const block of index.blocks.slice(same)) {
        const bits = stored.signatures(model, block.id);
        const end = block.base + block.slots;
        if (bits === undefined) {
          // Folded before it was embedded.
          readVectors(index, stored, end);
          all = false;
          continue;
        }
        // Most chunks have one: room for all at once, instead of more and more of it.
        signatures.reserve(slots.count);
        signatures.append(bits, block.base);
        upTo = end;
        if (all) blocks.push(block.id);
      }
      epoch = index.epoch;
      seen = change;
    }
    readVectors(index, stored, slots.count);
  }

  return {
    arm(index, stored) {
      update(index, stored);
      if (signatures.count === 0) return undefined;
      kept.size(signatures.count);
      const { slots } = index;
      // One question asks for the same chunks more than once.
      let last: Float32Array | undefined;
      const known = new Map<number, number>();
      const cosines = (query: Float32Array, asked: readonly number[]): Float32Array => {
        if (query !== last) known.clear();
        last = query;
        const missing: number[] = [];
        for (const slot of asked) {
          if (known.has(slot)) continue;
          const seq = slots.seqs[slot] ?? 0;
          const vectors = kept.find(seq);
          if (vectors === undefined) missing.push(seq);
          // A chunk that has no vector is read again each time, and is 0.
          known.set(slot, vectors === undefined ? 0 : cosineWith(query, vectors));
        }
        for (const [seq, vectors] of stored.vectors(model, missing)) {
          kept.keep(seq, vectors);
          known.set(slots.find(seq), cosineWith(query, vectors));
        }
        return Float32Array.from(asked, (slot) => known.get(slot) ?? 0);
      };
      return {
        cosines,
        nearest(query, count, admitted) {
          const near = signatures.nearest(query, Math.max(count, lookedAt), admitted ?? slots.alive);
          const exact = cosines(query, near);
          return near
            .map((slot, i) => ({ slot, cosine: exact[i] ?? 0 }))
            .filter(({ slot }) => slots.alive[slot] === 1)
            .sort((a, b) => b.cosine - a.cosine || a.slot - b.slot)
            .slice(0, count);
        },
      };
    },
  };
}
