// Whose signatures are whose: how many each place has, a byte a place, and where every sixteenth place begins.
// A number a signature instead would be four bytes each.

/** Places between two whose first signature is written down. */
const apart = 16;

export class Places {
  /** Signatures of all places together. */
  count = 0;
  /** One more than the last place that has any. */
  #end = 0;
  #counts: Uint8Array | Uint16Array = new Uint8Array(0);
  #starts = new Uint32Array(0);
  /** The place that was told last and its first signature: the next is often near. */
  #last = { place: 0, first: 0 };

  reserve(places: number): void {
    const before = this.#counts.length;
    if (places <= before) return;
    const capacity = Math.max(places, Math.min(before * 2, before + 65_536), 256);
    const counts = new (this.#counts instanceof Uint8Array ? Uint8Array : Uint16Array)(capacity);
    counts.set(this.#counts.subarray(0, this.#end));
    const starts = new Uint32Array(Math.ceil(capacity / apart));
    starts.set(this.#starts.subarray(0, Math.ceil(this.#end / apart)));
    this.#counts = counts;
    this.#starts = starts;
  }

  /** One more signature, of `place`: the last one's or a later one. */
  add(place: number): void {
    this.reserve(place + 1);
    for (; this.#end <= place; this.#end += 1)
      if (this.#end % apart === 0) this.#starts[this.#end / apart] = this.count;
    const count = this.of(place) + 1;
    if (count > 255 && this.#counts instanceof Uint8Array) this.#counts = Uint16Array.from(this.#counts);
    this.#counts[place] = count;
    this.count += 1;
  }

  /** Forgets those of `place` and after. */
  truncate(place: number): void {
    if (place >= this.#end) return;
    this.count = this.firstOf(place);
    this.#counts.fill(0, place, this.#end);
    this.#end = Math.max(0, place);
    this.#last = { place: 0, first: 0 };
  }

  /** How many signatures a place has. */
  of(place: number): number {
    return this.#counts[place] ?? 0;
  }

  /** The first signature of `place`, or of the next one that has any. */
  firstOf(place: number): number {
    if (place <= 0) return 0;
    if (place >= this.#end) return this.count;
    const from = place - (place % apart);
    let first = this.#starts[from / apart] as number;
    for (let at = from; at < place; at += 1) first += this.#counts[at] as number;
    return first;
  }

  /** The place of a signature, which must be one of these. Quick where the ones asked for follow each other. */
  placeOf(signature: number): number {
    let { place, first } = this.#last;
    if (signature < first || signature - first > apart) {
      let low = 0;
      let high = Math.ceil(this.#end / apart);
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        if ((this.#starts[middle] as number) <= signature) low = middle;
        else high = middle;
      }
      place = low * apart;
      first = this.#starts[low] as number;
    }
    for (;;) {
      const next = first + (this.#counts[place] as number);
      if (signature < next) break;
      first = next;
      place += 1;
    }
    this.#last.place = place;
    this.#last.first = first;
    return place;
  }
}
