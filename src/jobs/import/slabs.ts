// Records on their way into memory lie in slabs that the parse worker sees too and that are used again: nothing is
// copied between threads, and nothing is left to the collector, which comes late for bytes outside its heap.

const slabBytes = 1024 * 1024;

export interface Slab {
  readonly store: Uint8Array;
  used: number;
}

export interface Slabs {
  /** An empty slab with room for a record of that size. */
  take(size: number): Slab;
  /** For when nobody reads from it any more. */
  giveBack(slab: Slab): void;
}

export function createSlabs(): Slabs {
  const idle: Slab[] = [];
  return {
    take(size) {
      if (size > slabBytes) return { store: new Uint8Array(new SharedArrayBuffer(size)), used: 0 };
      return idle.pop() ?? { store: new Uint8Array(new SharedArrayBuffer(slabBytes)), used: 0 };
    },
    giveBack(slab) {
      // A large one was made for one record.
      if (slab.store.length !== slabBytes) return;
      slab.used = 0;
      idle.push(slab);
    },
  };
}

export function hasRoom(slab: Slab, size: number): boolean {
  return slab.used + size <= slab.store.length;
}

/** Copies `raw` in; returns it where it lies now. There must be room. */
export function put(slab: Slab, raw: Uint8Array): Uint8Array {
  const place = slab.store.subarray(slab.used, slab.used + raw.byteLength);
  place.set(raw);
  slab.used += raw.byteLength;
  return place;
}
