// What a reader of one file yields: a record or a problem, each with its place and the byte to go on from.
import { createHash } from 'node:crypto';
import type { SourceRecord, Structured } from '../../providers/record.ts';
import type { ByteSource } from './byte-source.ts';

export type Item =
  /** `raw` holds until the next item is asked for. */
  | { record: SourceRecord; place: string; next: number }
  /** A record that could not be read: reported, and passed over. */
  | { reason: string; place: string; next: number };

export interface ReadRequest {
  /** Real path of the file; the first part of every place. */
  file: string;
  source: ByteSource;
  /** Byte to start from: 0, or an earlier item's `next`. */
  from: number;
  /** The file's modification time, integer ms. */
  modifiedAt: number;
}

export type Reader = (request: ReadRequest) => AsyncIterable<Item>;

/** Largest single record, bytes: above what mail servers accept (25 MiB of attachments in base64). */
export const largestRecord = 36 * 1024 * 1024;

/** A size for people, `36 MiB`. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A structured record as bytes. */
export function structuredBytes(structured: Structured): Uint8Array {
  return Buffer.from(JSON.stringify(structured));
}
