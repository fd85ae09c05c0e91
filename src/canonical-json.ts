// JSON in the one form that two sides write alike: what is hashed is written so.
import canonicalize from 'canonicalize';

/**
 * JSON in the one form of RFC 8785: sorted keys, no spaces, ECMAScript numbers.
 * @throws Error for what JSON cannot hold: NaN, infinities, lone surrogates, cycles.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('There is nothing to write as JSON');
  return text;
}
