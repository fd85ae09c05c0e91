// What goes into the database and comes out of it, the same in both: times are integer milliseconds, a flag
// is 0 or 1, JSON is text, bytes are Uint8Array.
import { DrawbridgeError } from '../errors.ts';

export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** Trusts its own column: what `toJson` wrote there, and nothing from outside. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** What both drivers can bind. */
export type Bound = null | number | bigint | string | Uint8Array;

/**
 * A query's parameter as both databases take it. A boolean becomes 0 or 1; U+0000, which PostgreSQL cannot
 * hold, becomes U+FFFD, of the same length, so that spans stay true.
 * @throws DrawbridgeError `internal` for what has no one meaning in both (a Date, an object, NaN).
 */
export function toBound(value: unknown): Bound {
  switch (typeof value) {
    case 'string':
      return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw refuse(`the number ${value}`);
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'object':
      if (value === null || value instanceof Uint8Array) return value;
      if (value instanceof Date) throw refuse('a Date: times are integer milliseconds');
      throw refuse('an object: write JSON with toJson');
    default:
      throw refuse(`a value of type ${typeof value}`);
  }
}

function refuse(what: string): DrawbridgeError {
  return new DrawbridgeError('internal', `The database does not take ${what}.`);
}
