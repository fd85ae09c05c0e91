// What the chain is made of: where it begins, how an entry is hashed, how a value is committed to.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import { fromJson } from '../store/codec.ts';
import type { RecordedEntry } from './audit.ts';

/** What the first entry of an org follows. */
export const beginning = '0'.repeat(64);

/** SHA-256 of an entry's text, hex. */
export function hashEntry(entry: string): string {
  return createHash('sha256').update(entry, 'utf8').digest('hex');
}

/** SHA-256 over a salt (hex, 32 bytes) and the value in UTF-8, hex. Without the salt it tells nothing of the value. */
export function commitmentOf(salt: string, value: string): string {
  return createHash('sha256').update(Buffer.from(salt, 'hex')).update(value, 'utf8').digest('hex');
}

/** The entry of a text whose hash held: whoever rebuilt it may have written anything. */
export function readEntry(text: string): RecordedEntry | undefined {
  try {
    const entry = fromJson<Partial<RecordedEntry> | null>(text);
    const whole = typeof entry?.commitments === 'object' && entry.commitments !== null;
    return whole && canonicalJson(entry) === text ? (entry as RecordedEntry) : undefined;
  } catch {
    return undefined;
  }
}
