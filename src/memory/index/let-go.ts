// Gives back the memory of an array that nobody needs any more. V8 counts arrays beside its heap late, and lets 64 MB
// of them lie before it collects: as much as a large org's whole index takes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The array, and every other one on the same memory, is empty from here on. One that may share its memory is left to V8. */
export function letGo({ buffer, byteLength }: Uint8Array | Int32Array): void {
  if (!(buffer instanceof ArrayBuffer)) return;
  // Small buffers are pieces of one that they share; what zlib returns may be a part of what it had.
  if (byteLength === buffer.byteLength || buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

/** Collects what lies in this thread's heap, and gives its pages back: some 15 ms of this thread. */
export function collectAll(): void {
  // The only way to V8's own function: https://v8.dev/docs/ has no call for it, and Node none.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  // Any other flavor keeps the pages for later.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
