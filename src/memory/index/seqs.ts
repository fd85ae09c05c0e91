// The chunks' numbers by slot. They ascend, and mostly by one: kept as stretches without a gap, they take no memory
// worth speaking of, and eight bytes a chunk where there is a gap before each.

export class Seqs {
  /** How many slots have a number. */
  count = 0;
  #stretches = 0;
  /** Of each stretch its first slot, and the number of that. */
  #slot = new Uint32Array(64);
  #seq = new Uint32Array(64);

  /** The next slot's number, higher than all before it. */
  add(seq: number): void {
    const last = this.#stretches - 1;
    const expected = last < 0 ? -1 : (this.#seq[last] ?? 0) + this.count - (this.#slot[last] ?? 0);
    if (seq !== expected) {
      if (this.#stretches === this.#slot.length) this.#grow();
      this.#slot[this.#stretches] = this.count;
      this.#seq[this.#stretches] = seq;
      this.#stretches += 1;
    }
    this.count += 1;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#slot.length * 1.5);
    const [slot, seq] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    slot.set(this.#slot);
    seq.set(this.#seq);
    this.#slot = slot;
    this.#seq = seq;
  }

  /** Forgets the slots from `count` on. */
  truncate(count: number): void {
    if (count >= this.count) return;
    this.count = count;
    while (this.#stretches > 0 && (this.#slot[this.#stretches - 1] ?? 0) >= count) this.#stretches -= 1;
  }

  /** How many of the ascending `values` are at most `value`. */
  #upTo(values: Uint32Array, value: number): number {
    let low = 0;
    let high = this.#stretches;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The number of a slot; 0 where there is none. */
  at(slot: number): number {
    if (slot < 0 || slot >= this.count) return 0;
    const stretch = this.#upTo(this.#slot, slot) - 1;
    return (this.#seq[stretch] ?? 0) + slot - (this.#slot[stretch] ?? 0);
  }

  /** How many slots hold a number up to `seq`: they are the first ones. */
  upTo(seq: number): number {
    const stretch = this.#upTo(this.#seq, seq) - 1;
    if (stretch < 0) return 0;
    const end = stretch + 1 < this.#stretches ? (this.#slot[stretch + 1] ?? 0) : this.count;
    return Math.min(end, (this.#slot[stretch] ?? 0) + seq - (this.#seq[stretch] ?? 0) + 1);
  }
}
