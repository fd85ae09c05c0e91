// The numbers that ranking goes by. Tuned on the training collections (docs/retrieval.md), the same for everybody:
// what differs between orgs comes from their own collection's statistics.

export interface RankSettings {
  /** BM25's saturation of a term that is repeated. */
  k1: number;
  /** How much a field's length counts, 0 to 1. */
  headerB: number;
  bodyB: number;
  /**
   * Terms that a body counts as at least, unless most are shorter: a message of five words is not five times as much
   * about one of them.
   */
  shortestBody: number;
  /**
   * The power of a term's idf: the rare words of a question tell more than that, for common ones meet by chance. And
   * inside a narrow scope.
   */
  rarity: number;
  rarityInScope: number;
  /** What a match in a field counts for; the body's is 1. */
  headerWeight: number;
  /** What a match in the chunk before or after counts for; and inside a narrow scope, mostly one conversation. */
  neighbourWeight: number;
  neighbourWeightInScope: number;
  /** How much of that, in words and in vectors, where the neighbour is of the same document, not of the same thread. */
  withinDocument: number;
  /** What nearness of the question's words counts for beside the words themselves. */
  proximityWeight: number;
  /** Added for a phrase in quotes that stands there, in units of its words' weights. */
  phraseWeight: number;
  /** What the vectors weigh against the words, and how much at most where the words are in doubt. */
  vectorWeight: number;
  vectorWeightInDoubt: number;
  /**
   * The words are in doubt where the best passages by words have less than this share of the best context (what a
   * passage says beside the question's words), and leave this share of the question or more unmet.
   */
  enoughAgreement: number;
  doubtfulUnmet: number;
  /** So many words of a question do not meet in a passage by chance. */
  neverByChance: number;
  /** What the vectors of the chunks before and after count for. */
  neighbourVector: number;
  /** How much of a vector's say is of what a passage says beside the question's own words. */
  contextShare: number;
  /** How much of a score comes from the passages most like it among the best, and how many those are. */
  smoothing: number;
  smoothedBy: number;
  /** What the terms that the best passages share count for, from how many of those, and how many terms. */
  expansion: number;
  expandedFrom: number;
  expandedBy: number;
  /** What being the newest counts for, where the question asks for that. */
  recency: number;
  /** Most candidates each arm brings, and of the best how many are read. */
  pool: number;
  read: number;
}

export const rankSettings: RankSettings = {
  k1: 1.5,
  headerB: 0.4,
  bodyB: 0.75,
  shortestBody: 25,
  rarity: 1.25,
  rarityInScope: 1,
  headerWeight: 2,
  neighbourWeight: 0.5,
  neighbourWeightInScope: 0.6,
  withinDocument: 0.3,
  proximityWeight: 0.1,
  phraseWeight: 1.5,
  vectorWeight: 0.2,
  vectorWeightInDoubt: 1,
  enoughAgreement: 1.2,
  doubtfulUnmet: 0.3,
  neverByChance: 3,
  neighbourVector: 0.3,
  contextShare: 0.5,
  smoothing: 0.2,
  smoothedBy: 10,
  expansion: 0.1,
  expandedFrom: 5,
  expandedBy: 10,
  recency: 0.15,
  pool: 200,
  read: 20,
};
