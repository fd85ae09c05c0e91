// One term's postings as bytes: slots as differences, and how often the term stands in the header and in the
// body of each. Most postings take one byte: the difference, and "once in the body".
import { ByteSink, ByteSource } from './bytes.ts';

/** Counts above are stored as this. */
export const mostCounted = 255;
/** Half a byte a field; this much means that a byte follows. */
const escaped = 15;

/** Where decoded postings go: grown as needed, and used again for the next question. */
export interface PostingsTarget {
  slots: Uint32Array;
  header: Uint8Array;
  body: Uint8Array;
  /** How many are written. */
  length: number;
}

/** Postings of one term, being written. Slots ascend. */
export class PostingList {
  readonly sink = new ByteSink(6);
  count = 0;
  last = -1;

  add(slot: number, header: number, body: number): void {
    const plain = header === 0 && body === 1;
    this.sink.number((slot - this.last) * 2 + (plain ? 0 : 1));
    this.last = slot;
    this.count += 1;
    if (plain) return;
    const inHeader = Math.min(header, mostCounted);
    const inBody = Math.min(body, mostCounted);
    this.sink.byte((Math.min(inHeader, escaped) << 4) | Math.min(inBody, escaped));
    if (inHeader >= escaped) this.sink.byte(inHeader);
    if (inBody >= escaped) this.sink.byte(inBody);
  }

  /** Another run's postings behind these: only the first difference changes. `base`: that run's first slot here. */
  append(bytes: Uint8Array, { count, last, base }: { count: number; last: number; base: number }): void {
    const source = new ByteSource(bytes);
    const first = source.number();
    const slot = base + (first >> 1) - 1;
    this.sink.number((slot - this.last) * 2 + (first & 1));
    this.sink.append(bytes.subarray(source.at));
    this.last = base + last;
    this.count += count;
  }
}

/** Appends the postings of `bytes` that `alive` still holds, `base` added to each slot. */
export function decodePostings(
  bytes: Uint8Array,
  { base, alive, to }: { base: number; alive: Uint8Array; to: PostingsTarget },
): void {
  const { slots, header, body } = to;
  const end = bytes.length;
  let at = 0;
  let length = to.length;
  let slot = base - 1;
  while (at < end) {
    let byte = bytes[at++] as number;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
    }
    slot += value >> 1;
    let inHeader = 0;
    let inBody = 1;
    if ((value & 1) === 1) {
      const counts = bytes[at++] as number;
      inHeader = counts >> 4;
      inBody = counts & 15;
      if (inHeader === escaped) inHeader = bytes[at++] as number;
      if (inBody === escaped) inBody = bytes[at++] as number;
    }
    if (alive[slot] === 0) continue;
    slots[length] = slot;
    header[length] = inHeader;
    body[length] = inBody;
    length += 1;
  }
  to.length = length;
}
