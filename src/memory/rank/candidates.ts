// A chunk that an arm has brought, and what each arm says of it.

export interface Candidate {
  slot: number;
  /** Of header, body and neighbours. */
  words: number;
  /** Of the question's words near each other, in the words' unit. */
  near: number;
  /** Of terms that the best passages share, in the words' unit. */
  expanded: number;
  cosine: number;
  /** Earned by being new, in the score's unit. */
  recency: number;
  /** Fused, before and after what its likes lend. */
  fused: number;
  score: number;
}

/** The candidate of a slot, made when there is none. */
export function candidatesOf(candidates: Map<number, Candidate>, slot: number, words = 0): Candidate {
  let known = candidates.get(slot);
  if (known === undefined) {
    known = { slot, words, near: 0, expanded: 0, cosine: 0, recency: 0, fused: 0, score: 0 };
    candidates.set(slot, known);
  }
  return known;
}

/** `value` between `low` (0) and `high` (1); 0 where there is nothing between. */
export function scaled(value: number, low: number, high: number): number {
  if (high <= low) return high > 0 && value >= high ? 1 : 0;
  return Math.max(0, value - low) / (high - low);
}
