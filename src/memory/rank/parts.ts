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
  /** What the passages most like it lend; below 0 where they are worse than itself. */
  feedback: number;
  vectors: number;
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
  let all = 0;
  for (const { postings, asked: times, idf } of asked) {
    const at = postings === undefined ? -1 : placeOf(postings.slots, slot);
    if (postings === undefined || at < 0) continue;
    const inHeader = (postings.header[at] ?? 0) * norms.header(slot);
    const tf = inHeader + (postings.body[at] ?? 0) * norms.body(slot);
    const score = (times * idf * tf) / (settings.k1 + tf);
    header += (score * inHeader) / tf;
    all += score;
  }
  return all === 0 ? 0 : header / all;
}

/** `byWords`: what of the candidate's fused score its words have earned; `vectors`: what its vector has. */
export function partsOf(
  { slot, words, near, fused, score }: Candidate,
  earned: { byWords: number; vectors: number },
  ranking: {
    collection: Collection;
    asked: readonly AskedTerm[];
    scores: WordScores;
    settings: RankSettings;
  },
): ScoreParts {
  const unit = words + near > 0 ? earned.byWords / (words + near) : 0;
  const neighbours = ranking.scores.neighbours[slot] ?? 0;
  const own = words - neighbours;
  const header = own * headerShare(slot, ranking);
  return {
    header: unit * header,
    body: unit * (own - header),
    neighbours: unit * neighbours,
    proximity: unit * near,
    feedback: score - fused,
    vectors: earned.vectors,
  };
}
