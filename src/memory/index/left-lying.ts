// What reading an index leaves lying. V8 counts arrays beside its heap late, and lets 64 MB of them lie before it
// collects: as much as a large org's whole index takes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of arrays that may lie about. */
const mostLying = 4_000_000;

let lying = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/** To be called where an array of so many bytes was read and is needed no more. Collects young objects when it is time. */
export function leaveLying(bytes: number): void {
  lying += bytes;
  if (lying < mostLying) return;
  lying = 0;
  if (collect === undefined) {
    // The only way to V8's own function: https://v8.dev/docs/ has no call for it, and Node none that is as cheap.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
  }
  collect?.({ type: 'minor' });
}
