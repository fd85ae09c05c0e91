// What stands near each other in a passage: the question's words side by side, and phrases in quotes.

/** A passage's terms that the question asks for: where they stand, and which (an index into the question's terms). */
export interface Occurrences {
  at: number[];
  term: number[];
}

export function occurrencesOf(body: readonly string[], places: ReadonlyMap<string, number>): Occurrences {
  const found: Occurrences = { at: [], term: [] };
  for (let i = 0; i < body.length; i += 1) {
    const term = places.get(body[i] ?? '');
    if (term === undefined) continue;
    found.at.push(i);
    found.term.push(term);
  }
  return found;
}

/**
 * Büttcher, Clarke and Lushman, "Term proximity scoring for ad-hoc retrieval" (SIGIR 2006): each two neighbouring
 * occurrences of different terms lend each other weight that falls with the square of their distance.
 */
export function nearness(
  { at, term }: Occurrences,
  idf: readonly number[],
  k1: number,
  norm: number,
): number {
  const lent = new Map<number, number>();
  for (let i = 1; i < at.length; i += 1) {
    const one = term[i - 1] ?? 0;
    const other = term[i] ?? 0;
    if (one === other) continue;
    const distance = (at[i] ?? 0) - (at[i - 1] ?? 0);
    const share = 1 / (distance * distance);
    lent.set(one, (lent.get(one) ?? 0) + (idf[other] ?? 0) * share);
    lent.set(other, (lent.get(other) ?? 0) + (idf[one] ?? 0) * share);
  }
  let sum = 0;
  for (const [one, weight] of lent)
    sum += Math.min(1, idf[one] ?? 0) * ((weight * (k1 + 1)) / (weight + k1 / norm));
  return sum;
}

/** True where the terms of the phrase follow each other in the body. */
export function holdsPhrase(body: readonly string[], phrase: readonly string[]): boolean {
  const first = phrase[0];
  if (first === undefined) return false;
  for (let i = body.indexOf(first); i >= 0; i = body.indexOf(first, i + 1)) {
    if (phrase.every((term, offset) => body[i + offset] === term)) return true;
  }
  return false;
}
