// A payload as it is stored: packed where that makes it smaller. The document's text stands in most payloads
// nearly word for word, so it serves as the dictionary, and what is stored is the rest.
import { deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** How `raw` is stored: as it came; by zlib, with the text as its dictionary; by zstd. Written into rows: never renumbered. */
const codings = { plain: 0, text: 1, zstd: 2 } as const;

export interface Packed {
  coding: number;
  bytes: Uint8Array;
}

/** Longer ones gain little by the text, and zstd is ten times as fast. */
const mostByText = 200_000;
/** Deflate looks back no further (RFC 1951). */
const window = 32_768;
/** Shorter ones are left as they are. */
const least = 64;

/** The text as the database gives it back: a NUL is no text there (store/codec.ts). */
function dictionaryOf(text: string): Buffer {
  return Buffer.from(text.slice(0, window).replaceAll('\0', '\uFFFD')).subarray(0, window);
}

/** `undefined` where packing makes it no smaller. */
export function packPayload(raw: Uint8Array, text: string): Packed | undefined {
  if (raw.length < least) return undefined;
  const packed: Packed =
    raw.length <= mostByText
      ? { coding: codings.text, bytes: deflateSync(raw, { dictionary: dictionaryOf(text) }) }
      : { coding: codings.zstd, bytes: zstdCompressSync(raw) };
  return packed.bytes.length < raw.length ? packed : undefined;
}

/** The payload as it came. A row whose text is not the one that it was packed with is an error, never another payload. */
export function payloadOf(row: { raw: Uint8Array; raw_coding: number; text: string }): Uint8Array {
  switch (row.raw_coding) {
    case codings.text:
      return inflateSync(row.raw, { dictionary: dictionaryOf(row.text) });
    case codings.zstd:
      return zstdDecompressSync(row.raw);
    default:
      return row.raw;
  }
}
