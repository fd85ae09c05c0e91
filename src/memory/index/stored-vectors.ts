// The vectors of an org's chunks of one embedder: signatures in memory, the vectors themselves read where they
// are needed.
import { keepBest } from '../rank/best.ts';
import type { VectorArm } from '../rank/collection.ts';
import { placeOf } from '../rank/words.ts';
import { letGo } from './let-go.ts';
import type { OrgIndex } from './org-index.ts';
import { cosineWith, productsAt, Signatures, squareAt } from './signatures.ts';
import type { Stored } from './stored.sql.ts';

/** Signatures that pass the first look; the best of them are told apart exactly. */
const lookedAt = 600;

/** Bytes of vectors kept in memory, so that one that is asked for again costs no row: all of them where they are no more, else some. */
const keptBytes = { all: 38_400_000, some: 5_120_000 };

/** The last vectors that were read: each has one place, by its signature's number. */
class KeptVectors {
  readonly #dimensions: number;
  readonly #mostKept: number;
  readonly #someKept: number;
  #bytes = new Int8Array(0);
  /** The number of the signature whose vector stands in a place, 1 added; 0 for none. */
  #held = new Uint32Array(0);
  /** The square of the vector in a place: its cosine is asked for far more often than it is read. */
  #squares = new Uint32Array(0);

  constructor(dimensions: number, bytes: typeof keptBytes) {
    this.#dimensions = dimensions;
    this.#mostKept = Math.floor(bytes.all / dimensions);
    this.#someKept = Math.floor(bytes.some / dimensions);
  }

  /** Makes room where there are `count` vectors. */
  size(count: number): void {
    const before = this.#held.length;
    const all = count <= this.#mostKept;
    if (all ? count <= before : before === this.#someKept) return;
    const capacity = all ? Math.min(this.#mostKept, Math.ceil(count * 1.25)) : this.#someKept;
    const bytes = new Int8Array(capacity * this.#dimensions);
    const held = new Uint32Array(capacity);
    const squares = new Uint32Array(capacity);
    // Where there was room for all, each stands where it stands now; any other is not found.
    if (before < capacity) {
      bytes.set(this.#bytes);
      held.set(this.#held);
      squares.set(this.#squares);
    }
    this.#bytes = bytes;
    this.#held = held;
    this.#squares = squares;
  }

  /** Signatures from this one on are of other vectors now. */
  forget(from: number): void {
    for (let place = 0; place < this.#held.length; place += 1)
      if ((this.#held[place] ?? 0) > from) this.#held[place] = 0;
  }

  keep(signature: number, vector: Int8Array): void {
    const place = signature % this.#held.length;
    this.#bytes.set(vector, place * this.#dimensions);
    this.#held[place] = signature + 1;
    this.#squares[place] = squareAt(vector, 0, this.#dimensions);
  }

  /** Whether so many have room. */
  holds(count: number): boolean {
    return count <= this.#held.length;
  }

  has(signature: number): boolean {
    return this.#held[signature % this.#held.length] === signature + 1;
  }

  /** The best cosine of each of `wanted`, whose vectors are kept, into its place of `found`. */
  cosines(query: Float32Array, { count, signatures, from, to, of }: Wanted, found: Float32Array): void {
    const room = this.#held.length;
    for (let i = 0; i < count; i += 1) from[i] = ((signatures[i] as number) % room) * this.#dimensions;
    productsAt(query, this.#bytes, { from, count, to });
    let last = -1;
    for (let i = 0; i < count; i += 1) {
      const square = this.#squares[(signatures[i] as number) % room] as number;
      if (square === 0) continue;
      const cosine = (to[i] as number) / Math.sqrt(square);
      const place = of[i] as number;
      if (place !== last || cosine > (found[place] as number)) found[place] = cosine;
      last = place;
    }
  }
}

/** Signatures whose vectors are asked for in one go, those of a chunk together, each with the place of its chunk among the asked. */
class Wanted {
  count = 0;
  signatures = new Uint32Array(0);
  of = new Uint32Array(0);
  /** Room for whoever reckons. */
  from = new Uint32Array(0);
  to = new Float64Array(0);

  add(signature: number, place: number): void {
    if (this.count === this.signatures.length) {
      const capacity = Math.max(1_024, 2 * this.count);
      const { signatures, of } = this;
      this.signatures = new Uint32Array(capacity);
      this.signatures.set(signatures);
      this.of = new Uint32Array(capacity);
      this.of.set(of);
      this.from = new Uint32Array(capacity);
      this.to = new Float64Array(capacity);
    }
    this.signatures[this.count] = signature;
    this.of[this.count] = place;
    this.count += 1;
  }
}

export interface StoredVectors {
  /** Brings the signatures up to what `index` is; undefined where no chunk has a vector. */
  arm(index: OrgIndex, stored: Stored): VectorArm | undefined;
  /** Keeps some more vectors before they are asked for, where all have room. True while there are more. */
  readAhead(index: OrgIndex, stored: Stored): boolean;
}

/** Chunks whose vectors are read ahead in one go: a question waits for one go at most. */
const aheadAtOnce = 500;

/** `signatureBytes`: of an org's signatures that stay in memory; more are read for each question. */
export function createStoredVectors(
  model: string,
  dimensions: number,
  {
    bytes = keptBytes,
    signatureBytes = Number.POSITIVE_INFINITY,
  }: { bytes?: typeof keptBytes; signatureBytes?: number } = {},
): StoredVectors {
  const signatures = new Signatures(dimensions, signatureBytes);
  const kept = new KeptVectors(dimensions, bytes);
  const wanted = new Wanted();
  /** Blocks whose stored signatures stand here, in their order from the first. */
  const blocks: number[] = [];
  /** The slot up to which they are read. */
  let upTo = 0;
  let epoch = -1;
  /** The change of the model at which they were read: vectors come after their chunks where a model is slow. */
  let seen = -1;
  /** The slot up to which vectors were read ahead. */
  let ahead = 0;

  /** Signatures of chunks in a row, made of their vectors. */
  function readVectors(index: OrgIndex, stored: Stored, to: number): void {
    const { slots } = index;
    if (upTo < to) {
      const first = slots.seqs.at(upTo);
      const last = slots.seqs.at(to - 1);
      for (const { seq, vector } of stored.vectorsBetween(model, first, last)) {
        const slot = slots.find(seq);
        if (slot >= 0) signatures.add({ place: slot, vectors: vector });
      }
    }
    upTo = to;
  }

  function keep(slot: number, vectors: Int8Array): void {
    const first = signatures.firstOf(slot);
    for (let i = first; i < signatures.endOf(first, slot); i += 1)
      kept.keep(i, vectors.subarray((i - first) * dimensions, (i - first + 1) * dimensions));
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
      kept.forget(signatures.count);
      ahead = Math.min(ahead, upTo);
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
        signatures.append(bits, block.base, block.id);
        letGo(bits);
        upTo = end;
        // Chunks have about as many each: room for all of them at once, instead of more and more of it.
        signatures.reserve(Math.ceil((signatures.count / upTo) * slots.count * 1.02), slots.count);
        if (all) blocks.push(block.id);
      }
      epoch = index.epoch;
      seen = change;
    }
    readVectors(index, stored, slots.count);
  }

  return {
    readAhead(index, { vectorsBetween }) {
      const { slots } = index;
      // Slots of another time are not those whose signatures stand here.
      if (epoch !== index.epoch || ahead >= upTo || !kept.holds(signatures.count)) return false;
      const to = Math.min(upTo, ahead + aheadAtOnce);
      const [first, last] = [slots.seqs.at(ahead), slots.seqs.at(to - 1)];
      for (const { seq, vector } of vectorsBetween(model, first, last)) keep(slots.find(seq), vector);
      ahead = to;
      return ahead < upTo;
    },
    arm(index, stored) {
      update(index, stored);
      if (signatures.count === 0) return undefined;
      kept.size(signatures.count);
      const { slots } = index;
      /** Of this question, ascending: passages are asked for again among those that the words bring. */
      let looked: { query: Float32Array; slots: Uint32Array; cosines: Float32Array } | undefined;
      /** Whether all vectors of a slot are kept. */
      const want = (slot: number, place: number): boolean => {
        const first = signatures.firstOf(slot);
        const end = signatures.endOf(first, slot);
        for (let i = first; i < end; i += 1) if (!kept.has(i)) return false;
        for (let i = first; i < end; i += 1) wanted.add(i, place);
        return true;
      };
      const cosines = (query: Float32Array, asked: readonly number[]): Float32Array => {
        const found = new Float32Array(asked.length);
        const missing: number[] = [];
        const known = looked?.query === query ? looked : undefined;
        wanted.count = 0;
        for (let i = 0; i < asked.length; i += 1) {
          const slot = asked[i] as number;
          if (slot < 0) continue;
          const at = known === undefined ? -1 : placeOf(known.slots, slot);
          if (known !== undefined && at >= 0) found[i] = known.cosines[at] as number;
          else if (!want(slot, i)) missing.push(i);
        }
        kept.cosines(query, wanted, found);
        if (missing.length === 0) return found;
        const seqOf = (i: number) => slots.seqs.at(asked[i] ?? -1);
        const read = stored.vectors(model, missing.map(seqOf));
        for (const i of missing) {
          const vectors = read.get(seqOf(i));
          if (vectors === undefined) continue;
          keep(asked[i] ?? -1, vectors);
          found[i] = cosineWith(query, vectors);
        }
        return found;
      };
      return {
        cosines,
        nearest(query, count, admitted) {
          const near = signatures.nearest(
            query,
            Math.max(count, lookedAt),
            admitted ?? slots.alive,
            (block) => {
              const bits = stored.signatures(model, block);
              if (bits === undefined) throw new Error(`The signatures of block ${block} are missing.`);
              return bits;
            },
          );
          const exact = cosines(query, near);
          looked = { query, slots: new Uint32Array(near), cosines: exact };
          const best = keepBest(count);
          near.forEach((slot, i) => {
            if (slots.alive[slot] === 1) best.offer(slot, exact[i] as number);
          });
          const { slots: nearest, scores } = best.take();
          return nearest.map((slot, i) => ({ slot, cosine: scores[i] as number }));
        },
      };
    },
  };
}
