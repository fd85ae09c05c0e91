// Identifiers: `kind_` + 26 characters of Crockford base 32, time first (sortable), 80 random bits behind.
import { randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

function encode(value: bigint, length: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < length; i += 1) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}

/** A new identifier such as `act_01j…`; `now` is integer milliseconds. */
export function newId(prefix: string, now: number): string {
  return `${prefix}_${encode(BigInt(now), 10)}${encode(BigInt(`0x${randomBytes(10).toString('hex')}`), 16)}`;
}

/** An unguessable token, `bytes` of randomness in base64url. */
export function newToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
