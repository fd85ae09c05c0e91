// A secret cannot be printed by accident: every road to text yields a mask, and what it holds is known to
// the log's scrubber from the moment it exists.
import { inspect } from 'node:util';

const mask = '[secret]';
const registered = new Map<string, number>();
// Masking a very short value would tear ordinary words apart; such a value is no secret worth the name.
const shortestMasked = 6;

/** A credential. `reveal()` is the only way to its text; keep the result in the smallest scope. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    registerSecret(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }
}

/** Makes `value`, and its common encodings, unprintable through the log for the life of the process. */
export function registerSecret(value: string): void {
  if (value.length < shortestMasked) return;
  const forms = [
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    JSON.stringify(value).slice(1, -1),
  ];
  for (const form of forms) registered.set(form, form.length);
}

// Shapes that are credentials whoever minted them: our own keys, bearer values, JWTs, common vendors' tokens.
const tokenShapes =
  /\b(?:dbk_[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|ya29\.[A-Za-z0-9_-]{10,}|xox[abeoprs]-[A-Za-z0-9-]{8,}|gh[opsu]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{16,}|pat-[a-z0-9]{2,4}-[A-Za-z0-9-]{16,})|(?<=\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi;

/** `text` with every registered secret and every token-shaped string masked. */
export function scrub(text: string): string {
  let clean = text;
  for (const form of [...registered.keys()].sort((a, b) => b.length - a.length)) {
    if (clean.includes(form)) clean = clean.replaceAll(form, mask);
  }
  return clean.replace(tokenShapes, mask);
}
