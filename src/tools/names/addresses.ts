// Addresses as an agent writes them: `ada@example.com` or `Ada Lovelace <ada@example.com>`, one a string.
// Anything that could mean a second address or another header is refused, never repaired.
import { DrawbridgeError } from '../../errors.ts';
import type { MailAddress } from '../../providers/capabilities.ts';

const plain = /^[^\s<>"(),:;@\\[\]]+@[^\s<>"(),:;@\\[\]]+$/;
/** A name as a quoted-string, in which a backslash stands before what is meant literally (RFC 5322, 3.2.4), or bare. */
const form = /^(?:"((?:[^"\\]|\\.)*)"|([^"<>]*?))\s*<([^<>]*)>$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const breaking = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/;

/** @throws DrawbridgeError `invalid_request` naming `field` */
export function parseAddress(text: string, field: string): MailAddress {
  const refuse = (why: string) =>
    new DrawbridgeError(
      'invalid_request',
      `${field}: "${text.slice(0, 120)}" ${why}. Write one address, like ada@example.com or Ada Lovelace <ada@example.com>.`,
      { field },
    );
  if (breaking.test(text)) throw refuse('holds a line break or control character');
  const trimmed = text.trim();
  if (plain.test(trimmed)) return { email: trimmed };
  const named = form.exec(trimmed);
  const email = named?.[3]?.trim() ?? '';
  const name = (named?.[1]?.replace(/\\(.)/gu, '$1') ?? named?.[2] ?? '').trim();
  if (named === null || !plain.test(email)) throw refuse('is not one e-mail address');
  // A name that looks like an address would show a person one address and send to another.
  if (/[@<>]/.test(name)) throw refuse('has a name that looks like another address');
  return name === '' ? { email } : { email, name };
}

/** The addresses of one field; the same one twice is kept once. */
export function parseAddresses(texts: readonly string[], field: string): MailAddress[] {
  const seen = new Map<string, MailAddress>();
  for (const [index, text] of texts.entries()) {
    const address = parseAddress(text, `${field}.${index}`);
    if (!seen.has(address.email.toLowerCase())) seen.set(address.email.toLowerCase(), address);
  }
  return [...seen.values()];
}
