// The stretch of a file that a reader has at hand, in one store that is used again: a buffer a piece would lie
// about until a full collection, and those come late for bytes outside the heap.

const usual = 1024 * 1024;

export interface Window {
  /** `held` (what the last call gave, or the end of it) with `piece` behind it. What was given before is void. */
  extend(held: Buffer, piece: Uint8Array): Buffer;
}

export function createWindow(): Window {
  let store = Buffer.allocUnsafeSlow(usual);

  return {
    extend(held, piece) {
      const length = held.length + piece.length;
      const begin = held.buffer === store.buffer ? held.byteOffset : 0;
      // Doubled, so that a long record is not copied once a piece; small again when it is through.
      const size = length > store.length ? Math.max(length, store.length * 2) : usual;
      if (length > store.length || (store.length > usual && length * 2 < usual)) {
        const other = Buffer.allocUnsafeSlow(size);
        held.copy(other);
        other.set(piece, held.length);
        store = other;
        return store.subarray(0, length);
      }
      if (begin + length <= store.length) {
        store.set(piece, begin + held.length);
        return store.subarray(begin, begin + length);
      }
      held.copy(store);
      store.set(piece, held.length);
      return store.subarray(0, length);
    },
  };
}
