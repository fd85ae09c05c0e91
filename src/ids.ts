// Identifiers: `kind_` + 26 characters of Crockford base 32: 50 bits of time, 20 that count, 60 that are random.
// So they sort by when they were made, also those that one process made within a millisecond.
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

let made = 0;

/** A new identifier such as `act_01j…`; `now` is integer milliseconds. */
export function newId(prefix: string, now: number): string {
  made = (made + 1) % 2 ** 20;
  const random = BigInt(`0x${randomBytes(8).toString('hex')}`) >> 4n;
  return `${prefix}_${encode(BigInt(now), 10)}${encode(BigInt(made), 4)}${encode(random, 12)}`;
}

/** An unguessable token, `bytes` of randomness in base64url. */
export function newToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
