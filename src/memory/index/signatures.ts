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
    const near: { index: number; differing: number }[] = [];
    eachNear(this.bits.subarray(0, this.count * words), wanted, limit, (index, differing) => {
      if (differing > limit || passes[places[index] as number] !== 1) return limit;
      near.push({ index, differing });
      histogram[differing] = (histogram[differing] ?? 0) + 1;
      within += 1;
      while (limit > 0 && within - (histogram[limit] ?? 0) >= count) {
        within -= histogram[limit] ?? 0;
        limit -= 1;
      }
      return limit;
    });
    let atLimit = count - (within - (histogram[limit] ?? 0));
    const found: number[] = [];
    for (const { index, differing } of near) {
      if (differing > limit) continue;
      if (differing === limit && --atLimit < 0) continue;
      const place = places[index] ?? 0;
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

/** The cosine of a unit vector with the quantised one that begins at `from`; undefined where that is zero. */
export function cosineAt(query: Float32Array, vectors: Int8Array, from: number): number | undefined {
  let dot = 0;
  let square = 0;
  for (let d = 0; d < query.length; d += 1) {
    const value = vectors[from + d] as number;
    dot += value * (query[d] as number);
    square += value * value;
  }
  return square === 0 ? undefined : dot / Math.sqrt(square);
}

/** The highest cosine of a unit vector with any of the quantised ones; 0 where all are zero. */
export function cosineWith(query: Float32Array, vectors: Int8Array): number {
  let best: number | undefined;
  for (let from = 0; from + query.length <= vectors.length; from += query.length) {
    const cosine = cosineAt(query, vectors, from);
    if (best === undefined || (cosine !== undefined && cosine > best)) best = cosine;
  }
  return best ?? 0;
}
