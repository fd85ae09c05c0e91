// Little room for young objects. Answering calls leaves few of them alive, and V8 answers the loading of the program
// with room for 16 MB, twice, that it then never needs again.
import { setFlagsFromString } from 'node:v8';

/**
 * For the whole process, and the threads that it starts from now on: the room for young objects stays what it was at
 * the start (1 MB, and 1 MB to copy what lives into).
 */
export function keepNurserySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
