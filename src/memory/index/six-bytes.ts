// Whole numbers in six bytes each, as times and threads are, instead of the eight of a Float64Array.

/** What stands for 0: times of some five centuries before 1970 have room below it, and above it those up to the year 10,000. */
const zero = 2 ** 44;
const most = 2 ** 48;
const low = 2 ** 32;

export class SixBytes {
  #low = new Uint32Array(0);
  #high = new Uint16Array(0);
  /** All of them, as soon as there is one that has no room in six bytes. */
  #wide: Float64Array | undefined;

  get byteLength(): number {
    return this.#low.byteLength + this.#high.byteLength + (this.#wide?.byteLength ?? 0);
  }

  /** Room for `capacity`, the first `count` kept. */
  reserve(capacity: number, count: number): void {
    if (this.#wide !== undefined) {
      const wide = new Float64Array(capacity);
      wide.set(this.#wide.subarray(0, count));
      this.#wide = wide;
      return;
    }
    const lows = new Uint32Array(capacity);
    lows.set(this.#low.subarray(0, count));
    const highs = new Uint16Array(capacity);
    highs.set(this.#high.subarray(0, count));
    this.#low = lows;
    this.#high = highs;
  }

  /** The number at a place at which one was put. */
  at(place: number): number {
    if (this.#wide !== undefined) return this.#wide[place] as number;
    return (this.#high[place] as number) * low + (this.#low[place] as number) - zero;
  }

  put(place: number, value: number): void {
    if (this.#wide === undefined) {
      const shifted = value + zero;
      if (shifted >= 0 && shifted < most && Number.isInteger(value)) {
        this.#high[place] = Math.floor(shifted / low);
        this.#low[place] = shifted % low;
        return;
      }
      this.#wide = Float64Array.from(this.#low, (_, i) => this.at(i));
      this.#low = new Uint32Array(0);
      this.#high = new Uint16Array(0);
    }
    this.#wide[place] = value;
  }
}
