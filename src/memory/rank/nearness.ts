// What stands near each other in a passage: the question's words side by side, and phrases in quotes.

/**
 * Büttcher, Clarke and Lushman, "Term proximity scoring for ad-hoc retrieval" (SIGIR 2006): each two neighbouring
 * occurrences of different terms lend each other weight that falls with the square of their distance.
 * `askedAt`: by a term's number its place among the question's terms, -1 for others; `idf` by that place.
 */
export function nearness(
  passage: Int32Array,
  askedAt: Int32Array,
  idf: readonly number[],
  { k1, norm }: { k1: number; norm: number },
): number {
  const lent = new Float64Array(idf.length);
  let last = -1;
  let lastAt = 0;
  for (let i = 0; i < passage.length; i += 1) {
    const one = askedAt[passage[i] ?? 0] ?? -1;
    if (one < 0) continue;
    if (last >= 0 && last !== one) {
      const share = 1 / (i - lastAt) ** 2;
      lent[last] = (lent[last] ?? 0) + (idf[one] ?? 0) * share;
      lent[one] = (lent[one] ?? 0) + (idf[last] ?? 0) * share;
    }
    last = one;
    lastAt = i;
  }
  return lent.reduce(
    (sum, weight, one) => sum + (Math.min(1, idf[one] ?? 0) * weight * (k1 + 1)) / (weight + k1 / norm),
    0,
  );
}

/** True where the terms of the phrase (by number) follow each other in the passage. */
export function holdsPhrase(passage: Int32Array, phrase: readonly number[]): boolean {
  const first = phrase[0];
  if (first === undefined) return false;
  for (let i = passage.indexOf(first); i >= 0; i = passage.indexOf(first, i + 1)) {
    if (phrase.every((term, offset) => passage[i + offset] === term)) return true;
  }
  return false;
}
