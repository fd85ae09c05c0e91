// What is kept of a token that opens a door: its SHA-256, never the token. Tokens have 256 random bits, so
// a slow hash would add nothing.
import { hash, timingSafeEqual } from 'node:crypto';

export function digest(token: string): string {
  return hash('sha256', token);
}

/** Compares in a time that does not depend on where two texts differ. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(digest(a)), Buffer.from(digest(b)));
}
