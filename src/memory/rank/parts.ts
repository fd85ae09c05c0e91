// What a score is made of: the parts add up to it.
import type { Candidate } from './candidates.ts';
import type { Collection } from './collection.ts';
import type { RankSettings } from './settings.ts';
import { type AskedTerm, fieldNorms, placeOf, type WordScores } from './words.ts';

/** What a score is the sum of. */
export interface ScoreParts {
  header: number;
  body: number;
  neighbours: number;
  proximity: number;
  /** Of terms that the best passages share, and what the passages most like it lend; may be below 0. */
  feedback: number;
  vectors: number;
  /** For being new, where the question asks for that. */
  recency: number;
  /** What a reranker moved it by, where one was asked. */
  reranker?: number;
}

/** How much of a chunk's own score its header has earned. */
function headerShare(
  slot: number,
  {
    collection,
    asked,
    settings,
  }: { collection: Collection; asked: readonly AskedTerm[]; settings: RankSettings },
): number {
  const norms = fieldNorms(collection, settings);
  let header = 0;
  let body = 0;
  for (const { postings, asked: times, idf } of asked) {
    const at = postings === undefined ? -1 : placeOf(postings.slots, slot);
    if (postings === undefined || at < 0) continue;
    const inHeader = (postings.header[at] ?? 0) * norms.header(slot);
    const inBody = (postings.body[at] ?? 0) * norms.body(slot);
    const each = (times * idf ** settings.rarity) / (settings.k1 + inHeader + inBody);
    header += each * inHeader;
    body += each * inBody;
  }
  return header === 0 ? 0 : header / (header + body);
}

/** `byWords`: what of the candidate's fused score its words have earned; `vectors`: what its vector has. */
export function partsOf(
  { slot, words, near, expanded, recency, fused, score }: Candidate,
  earned: { byWords: number; vectors: number },
  ranking: {
    collection: Collection;
    asked: readonly AskedTerm[];
    scores: WordScores;
    settings: RankSettings;
  },
): ScoreParts {
  const all = words + near + expanded;
  const unit = all > 0 ? earned.byWords / all : 0;
  const neighbours = ranking.scores.neighbours[slot] ?? 0;
  const own = words - neighbours;
  const inHeader = headerShare(slot, ranking);
  return {
    header: unit * own * inHeader,
    body: unit * own * (1 - inHeader),
    neighbours: unit * neighbours,
    proximity: unit * near,
    feedback: unit * expanded + score - recency - fused,
    vectors: earned.vectors,
    recency,
  };
}
