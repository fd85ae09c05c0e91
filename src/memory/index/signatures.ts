// The first pass over vectors: a bit for the sign of each dimension. How many bits differ tells, roughly and at
// once, which passages are near; their exact vectors stay in the store.
import { ByteSink, ByteSource } from './bytes.ts';
import { eachNear } from './differing.ts';

/** Dimensions that have a sign here: the first look needs no more, and of models that can be shortened the first say most. */
const mostSigned = 512;

export interface ChunkVectors {
  /** The chunk's place, as the caller counts. */
  place: number;
  /** One or several vectors, one after another. */
  vectors: Int8Array;
}

/** Signatures of one vector after another, each with the place that it belongs to. */
export class Signatures {
  readonly words: number;
  readonly dimensions: number;
  places = new Uint32Array(0);
  bits = new Int32Array(0);
  count = 0;
  /** What one question found near, its room kept for the next one. */
  #near = new Uint32Array(0);

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.words = Math.ceil(Math.min(dimensions, mostSigned) / 32);
  }

  reserve(count: number): void {
    if (count <= this.places.length) return;
    const capacity = Math.max(count, Math.min(this.places.length * 2, this.places.length + 65_536), 256);
    const places = new Uint32Array(capacity);
    places.set(this.places.subarray(0, this.count));
    const bits = new Int32Array(capacity * this.words);
    bits.set(this.bits.subarray(0, this.count * this.words));
    this.places = places;
    this.bits = bits;
  }

  add({ place, vectors }: ChunkVectors): void {
    for (let from = 0; from + this.dimensions <= vectors.length; from += this.dimensions) {
      this.reserve(this.count + 1);
      this.places[this.count] = place;
      signatureOf(
        vectors.subarray(from, from + this.dimensions),
        this.bits.subarray(this.count * this.words, (this.count + 1) * this.words),
      );
      this.count += 1;
    }
  }

  /** Forgets those of `place` and after. Places ascend. */
  truncate(place: number): void {
    while (this.count > 0 && (this.places[this.count - 1] ?? 0) >= place) this.count -= 1;
  }

  encode(): Uint8Array {
    const sink = new ByteSink(8 + this.count * (2 + this.words * 4));
    sink.number(this.count);
    let last = 0;
    for (let i = 0; i < this.count; i += 1) {
      const place = this.places[i] ?? 0;
      sink.number(place - last);
      last = place;
    }
    const { buffer, byteOffset } = this.bits;
    sink.append(new Uint8Array(buffer, byteOffset, this.count * this.words * 4));
    return sink.taken();
  }

  /** Appends what `encode` wrote, `base` added to each place. */
  append(bytes: Uint8Array, base: number): void {
    const source = new ByteSource(bytes);
    const count = source.number();
    this.reserve(this.count + count);
    let place = base;
    for (let i = 0; i < count; i += 1) {
      place += source.number();
      this.places[this.count + i] = place;
    }
    const size = count * this.words * 4;
    new Uint8Array(this.bits.buffer).set(source.take(size), this.count * this.words * 4);
    this.count += count;
  }

  /** The first signature of `place`, or of the next one that has any. */
  firstOf(place: number): number {
    // Where each chunk before it has one, as most have.
    if (place >= 0 && place < this.count && this.places[place] === place)
      if (place === 0 || this.places[place - 1] !== place) return place;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.places[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where the signatures of `place` end, which begin at `first`. */
  endOf(first: number, place: number): number {
    let end = first;
    while (end < this.count && this.places[end] === place) end += 1;
    return end;
  }

  /** The places whose signatures differ least, at most `count` signatures, of those that `passes` lets in; ascending. */
  nearest(query: Int8Array | Float32Array, count: number, passes: Uint8Array): number[] {
    const { places, words } = this;
    const wanted = new Int32Array(words);
    signatureOf(query, wanted);
    /** Signatures within the limit by how much they differ: it falls as soon as there are enough below it. */
    const histogram = new Uint32Array(this.dimensions + 1);
    let limit = this.dimensions;
    let within = 0;
    // The signature and how much it differs, one after another.
    let near = this.#near;
    let length = 0;
    eachNear(this.bits.subarray(0, this.count * words), wanted, limit, (index, differing) => {
      if (differing > limit || passes[places[index] as number] !== 1) return limit;
      if (length === near.length) {
        near = new Uint32Array(Math.max(4_096, 2 * length));
        near.set(this.#near);
        this.#near = near;
      }
      near[length] = index;
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
    let atLimit = count - (within - (histogram[limit] ?? 0));
    const found: number[] = [];
    for (let i = 0; i < length; i += 2) {
      const differing = near[i + 1] as number;
      if (differing > limit) continue;
      if (differing === limit && --atLimit < 0) continue;
      const place = places[near[i] as number] as number;
      if (found.at(-1) !== place) found.push(place);
    }
    return found;
  }
}

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
