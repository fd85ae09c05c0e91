// The first pass over vectors: a bit for the sign of each dimension. How many bits differ tells, roughly and at
// once, which passages are near; their exact vectors stay in the store.
import { ByteSink, ByteSource } from './bytes.ts';
import { eachNear } from './differing.ts';
import { letGo } from './let-go.ts';
import { Places } from './places.ts';

/** Dimensions that have a sign here: the first look needs no more, and of models that can be shortened the first say most. */
const mostSigned = 512;

/** Signatures of chunks that no block has yet, for which there is room beside what is kept of blocks. */
const roomForLoose = 16_384;

export interface ChunkVectors {
  /** The chunk's place, as the caller counts. */
  place: number;
  /** One or several vectors, one after another. */
  vectors: Int8Array;
}

/** Signatures in a row whose bits stand together: in memory, or in a block that is stored. */
interface Stretch {
  /** The number of the first. */
  first: number;
  count: number;
  /** In memory: where its bits begin, in signatures. */
  at?: number;
  block?: number;
}

/** Bits by block, as `encode` wrote them with their places. Good until they are looked through. */
export type ReadBlock = (block: number) => Uint8Array;

/** Signatures of one vector after another, each with the place that it belongs to. */
export class Signatures {
  readonly words: number;
  readonly dimensions: number;
  readonly #places = new Places();
  /** Those in memory: what is stored is kept here as long as it has room, and read for each question beyond it. */
  #bits = new Int32Array(0);
  /** How many stand in memory. */
  #held = 0;
  readonly #mostHeld: number;
  readonly #stretches: Stretch[] = [];
  /** What one question found near, its room kept for the next one. */
  #near = new Uint32Array(0);

  /** `mostBytes`: of bits of stored blocks in memory. */
  constructor(dimensions: number, mostBytes = Number.POSITIVE_INFINITY) {
    this.dimensions = dimensions;
    this.words = Math.ceil(Math.min(dimensions, mostSigned) / 32);
    this.#mostHeld = Math.floor(mostBytes / (this.words * 4));
  }

  get count(): number {
    return this.#places.count;
  }

  /** Bytes of bits in memory. */
  get heldBytes(): number {
    return this.#held * this.words * 4;
  }

  /** Room for so many signatures of so many places; in memory for no more than are kept there. */
  reserve(count: number, places: number): void {
    this.#places.reserve(places);
    this.#reserveBits(Math.min(count, this.#mostHeld + roomForLoose));
  }

  #reserveBits(count: number): void {
    const before = this.#bits.length / this.words;
    if (count <= before) return;
    const capacity = Math.max(count, Math.min(before * 2, before + 65_536), 256);
    const bits = new Int32Array(capacity * this.words);
    bits.set(this.#bits.subarray(0, this.#held * this.words));
    letGo(this.#bits);
    this.#bits = bits;
  }

  /** Room in memory for `more`, which follow. @returns where their bits begin */
  #hold(more: number): number {
    this.#reserveBits(this.#held + more);
    const at = this.#held;
    const last = this.#stretches.at(-1);
    if (last?.at !== undefined) last.count += more;
    else this.#stretches.push({ first: this.count, count: more, at });
    this.#held += more;
    return at * this.words;
  }

  add({ place, vectors }: ChunkVectors): void {
    for (let from = 0; from + this.dimensions <= vectors.length; from += this.dimensions) {
      const at = this.#hold(1);
      this.#places.add(place);
      signatureOf(vectors.subarray(from, from + this.dimensions), this.#bits.subarray(at, at + this.words));
    }
  }

  /** Forgets those of `place` and after. Places ascend. */
  truncate(place: number): void {
    this.#places.truncate(place);
    for (let last = this.#stretches.at(-1); last !== undefined; last = this.#stretches.at(-1)) {
      const gone = last.first + last.count - this.count;
      if (gone <= 0) return;
      if (last.at !== undefined) this.#held -= Math.min(gone, last.count);
      last.count -= gone;
      if (last.count > 0) return;
      this.#stretches.pop();
    }
  }

  /** What a block stores of all of them, which must stand in memory. */
  encode(): Uint8Array {
    const sink = new ByteSink(8 + this.count * (2 + this.words * 4));
    sink.number(this.count);
    let last = 0;
    for (let i = 0; i < this.count; i += 1) {
      const place = this.#places.placeOf(i);
      sink.number(place - last);
      last = place;
    }
    sink.append(bytesOf(this.#bits, 0, this.count * this.words));
    return sink.taken();
  }

  /** Appends what `encode` wrote, `base` added to each place. `block`: where it is stored, and can be read again. */
  append(bytes: Uint8Array, base: number, block?: number): void {
    const source = new ByteSource(bytes);
    const count = source.number();
    if (count === 0) return;
    if (block !== undefined && this.#held + count > this.#mostHeld)
      this.#stretches.push({ first: this.count, count, block });
    else {
      const at = this.#hold(count);
      bytesOf(this.#bits, at, count * this.words).set(this.#bitsIn(bytes));
    }
    let place = base;
    for (let i = 0; i < count; i += 1) {
      place += source.number();
      this.#places.add(place);
    }
  }

  /** The bits of what `encode` wrote. */
  #bitsIn(bytes: Uint8Array): Uint8Array {
    const count = new ByteSource(bytes).number();
    return bytes.subarray(bytes.length - count * this.words * 4);
  }

  /** The first signature of `place`, or of the next one that has any. */
  firstOf(place: number): number {
    return this.#places.firstOf(place);
  }

  /** Where the signatures of `place` end, which begin at `first`. */
  endOf(first: number, place: number): number {
    return first + this.#places.of(place);
  }

  /**
   * The places whose signatures differ least, at most `count` signatures, of those that `passes` lets in; ascending.
   * `read`: what is not in memory.
   */
  nearest(query: Int8Array | Float32Array, count: number, passes: Uint8Array, read?: ReadBlock): number[] {
    const places = this.#places;
    const wanted = new Int32Array(this.words);
    signatureOf(query, wanted);
    /** Signatures within the limit by how much they differ: it falls as soon as there are enough below it. */
    const histogram = new Uint32Array(this.dimensions + 1);
    let limit = this.dimensions;
    let within = 0;
    // The signature and how much it differs, one after another.
    let near = this.#near;
    let length = 0;
    for (const stretch of this.#stretches) {
      const { first } = stretch;
      const look = (bits: Uint8Array) =>
        eachNear(bits, wanted, limit, (index, differing) => {
          const signature = first + index;
          if (differing > limit || passes[places.placeOf(signature)] !== 1) return limit;
          if (length === near.length) {
            near = new Uint32Array(Math.max(4_096, 2 * length));
            near.set(this.#near);
            this.#near = near;
          }
          near[length] = signature;
          near[length + 1] = differing;
          length += 2;
          histogram[differing] = (histogram[differing] as number) + 1;
          within += 1;
          while (limit > 0 && within - (histogram[limit] as number) >= count) {
            within -= histogram[limit] as number;
            limit -= 1;
          }
          return limit;
        });
      this.#withBits(stretch, passes, read, look);
    }
    let atLimit = count - (within - (histogram[limit] ?? 0));
    const found: number[] = [];
    for (let i = 0; i < length; i += 2) {
      const differing = near[i + 1] as number;
      if (differing > limit) continue;
      if (differing === limit && --atLimit < 0) continue;
      const place = places.placeOf(near[i] as number);
      if (found.at(-1) !== place) found.push(place);
    }
    return found;
  }

  /** The bits of a stretch for a look; those that are stored only where any of their places passes. */
  #withBits(
    { first, count, at, block }: Stretch,
    passes: Uint8Array,
    read: ReadBlock | undefined,
    look: (bits: Uint8Array) => void,
  ): void {
    if (at !== undefined) {
      look(bytesOf(this.#bits, at * this.words, count * this.words));
      return;
    }
    const [from, to] = [this.#places.placeOf(first), this.#places.placeOf(first + count - 1)];
    if (!passes.subarray(from, to + 1).includes(1)) return;
    if (read === undefined || block === undefined)
      throw new Error('Signatures are stored, and nobody reads them.');
    const bytes = read(block);
    look(this.#bitsIn(bytes).subarray(0, count * this.words * 4));
    letGo(bytes);
  }
}

const bytesOf = ({ buffer, byteOffset }: Int32Array, from: number, words: number): Uint8Array =>
  new Uint8Array(buffer, byteOffset + from * 4, words * 4);

function signatureOf(vector: Int8Array | Float32Array, to: Int32Array): void {
  for (let word = 0; word < to.length; word += 1) {
    let bits = 0;
    for (let bit = 0; bit < 32; bit += 1) if ((vector[word * 32 + bit] ?? 0) > 0) bits |= 1 << bit;
    to[word] = bits;
  }
}

/** A unit vector with a byte a dimension: its largest value becomes 127. Its length is reckoned anew when it is read. */
export function quantise(vector: Float32Array): Int8Array {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return Int8Array.from(vector, (value) => (most === 0 ? 0 : Math.round((value / most) * 127)));
}

/** The sum of the squares of a quantised vector: 0 of one without direction. */
export function squareAt(vectors: Int8Array, from: number, dimensions: number): number {
  let square = 0;
  for (let d = from; d < from + dimensions; d += 1) square += (vectors[d] as number) ** 2;
  return square;
}

/** The product of a vector with each of the quantised ones that begin at the first `count` of `from`, into `to`. */
export function productsAt(
  query: Float32Array,
  vectors: Int8Array,
  { from, count, to }: { from: Uint32Array; count: number; to: Float64Array },
): void {
  const { length } = query;
  let i = 0;
  // Four sums at a time: each addition waits for the last one of its own sum only.
  for (; i + 3 < count; i += 4) {
    const at = from[i] as number;
    const second = from[i + 1] as number;
    const third = from[i + 2] as number;
    const fourth = from[i + 3] as number;
    let product = 0;
    let ofSecond = 0;
    let ofThird = 0;
    let ofFourth = 0;
    for (let d = 0; d < length; d += 1) {
      const value = query[d] as number;
      product += (vectors[at + d] as number) * value;
      ofSecond += (vectors[second + d] as number) * value;
      ofThird += (vectors[third + d] as number) * value;
      ofFourth += (vectors[fourth + d] as number) * value;
    }
    to[i] = product;
    to[i + 1] = ofSecond;
    to[i + 2] = ofThird;
    to[i + 3] = ofFourth;
  }
  for (; i < count; i += 1) {
    const at = from[i] as number;
    let product = 0;
    for (let d = 0; d < length; d += 1) product += (vectors[at + d] as number) * (query[d] as number);
    to[i] = product;
  }
}

/** The highest cosine of a unit vector with any of the quantised ones; 0 where all are zero. */
export function cosineWith(query: Float32Array, vectors: Int8Array): number {
  const { length } = query;
  const from = Uint32Array.from({ length: Math.floor(vectors.length / length) }, (_, i) => i * length);
  const to = new Float64Array(from.length);
  productsAt(query, vectors, { from, count: from.length, to });
  let best: number | undefined;
  from.forEach((at, i) => {
    const square = squareAt(vectors, at, length);
    if (square === 0) return;
    const cosine = (to[i] as number) / Math.sqrt(square);
    if (best === undefined || cosine > best) best = cosine;
  });
  return best ?? 0;
}
