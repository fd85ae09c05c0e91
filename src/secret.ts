// A secret cannot be printed by accident: every road to text yields a mask, and what it holds is known to
// the log's scrubber from the moment it exists.
import { inspect } from 'node:util';

const mask = '[secret]';
/** Form of a value → how many hold it. */
const registered = new Map<string, number>();
interface Held {
  value: string;
  /** Grows from one to the next. */
  born: number;
}
let born = 0;
/** Values that no Secret holds any more: what an error still carries is masked, too. */
const former: Held[] = [];
/** A server that renews tokens for months keeps neither all of them nor a log that searches for all of them. */
const mostFormer = 2_000;
/** Longest first, so that no part of one is masked before its whole; undefined after a change. */
let ordered: readonly string[] | undefined;
const collected = new FinalizationRegistry<Held>(leave);
// Masking a very short value would tear ordinary words apart; such a value is no secret worth the name.
const shortestMasked = 6;

/** A credential. `reveal()` is the only way to its text; keep the result in the smallest scope. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    collected.register(this, hold(value));
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

/**
 * Makes `value`, and its common encodings, unprintable through the log: as long as a Secret holds it, and while it is
 * among the youngest 2,000 that none holds.
 */
export function registerSecret(value: string): void {
  leave(hold(value));
}

function hold(value: string): Held {
  for (const form of formsOf(value)) {
    const holders = registered.get(form) ?? 0;
    if (holders === 0) ordered = undefined;
    registered.set(form, holders + 1);
  }
  born += 1;
  return { value, born };
}

/**
 * The last holder's farewell takes effect when enough younger ones have left, too. By age, and not in the order in which
 * they leave: a collection says farewell to thousands of old ones at once.
 */
function leave(held: Held): void {
  former.push(held);
  if (former.length <= mostFormer) return;
  let oldest = 0;
  former.forEach((one, i) => {
    if (one.born < (former[oldest]?.born ?? 0)) oldest = i;
  });
  const [forgotten] = former.splice(oldest, 1);
  for (const form of formsOf(forgotten?.value ?? '')) {
    const holders = (registered.get(form) ?? 1) - 1;
    if (holders > 0) registered.set(form, holders);
    else {
      registered.delete(form);
      ordered = undefined;
    }
  }
}

function formsOf(value: string): readonly string[] {
  if (value.length < shortestMasked) return [];
  return [
    ...new Set([
      value,
      encodeURIComponent(value),
      Buffer.from(value).toString('base64'),
      JSON.stringify(value).slice(1, -1),
    ]),
  ];
}

// Shapes that are credentials whoever minted them: our own keys, bearer values, JWTs, common vendors' tokens.
const tokenShapes =
  /\b(?:dbk_[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|ya29\.[A-Za-z0-9_-]{10,}|xox[abeoprs]-[A-Za-z0-9-]{8,}|gh[opsu]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{16,}|pat-[a-z0-9]{2,4}-[A-Za-z0-9-]{16,})|(?<=\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi;

/** `text` with every registered secret and every token-shaped string masked. */
export function scrub(text: string): string {
  let clean = text;
  ordered ??= [...registered.keys()].sort((a, b) => b.length - a.length);
  for (const form of ordered) {
    if (clean.includes(form)) clean = clean.replaceAll(form, mask);
  }
  return clean.replace(tokenShapes, mask);
}
