// Identifiers: `kind_` + 26 characters of Crockford base 32: 50 bits of time, 20 that count, 60 that are random.
// So they sort by when they were made, also those that one process made within a millisecond.
import { randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Of a whole number below 2 ** 53. */
function encode(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < length; i += 1) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

let made = 0;

/** A new identifier such as `act_01j…`; `now` is integer milliseconds. */
export function newId(prefix: string, now: number): string {
  made = (made + 1) % 2 ** 20;
  let random = '';
  // 256 is eight times 32: each letter is as likely as any other.
  for (const byte of randomBytes(12)) random += alphabet.charAt(byte % 32);
  return `${prefix}_${encode(now, 10)}${encode(made, 4)}${random}`;
}

/** An unguessable token, `bytes` of randomness in base64url. */
export function newToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}
