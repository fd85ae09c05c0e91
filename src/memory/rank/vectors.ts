// The second arm: what the passages mean, for questions whose words the right passage does not hold.
import { stem } from '../language/stem.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import type { Collection, VectorArm } from './collection.ts';
import type { RankSettings } from './settings.ts';
import { closeness, placeOf } from './words.ts';

/** What the vectors are asked with: chunks of the scope, and how many of them hold a term. */
export interface ScopeCounts {
  live: number;
  frequency(term: string): number;
}

/** Counts inside a narrow scope (`among`, ascending), or over all where the question is for all. */
export function scopeCounts(
  collection: Collection,
  among: Uint32Array | undefined,
  admitted: Uint8Array | undefined,
): ScopeCounts {
  if (among === undefined || admitted === undefined) return collectionCounts(collection);
  const slots = among.filter((slot) => admitted[slot] === 1 && collection.alive[slot] === 1);
  return {
    live: slots.length,
    frequency: (term) => {
      const postings = collection.postings(term);
      if (postings === undefined) return 0;
      return slots.reduce((count, slot) => count + (placeOf(postings.slots, slot) < 0 ? 0 : 1), 0);
    },
  };
}

function collectionCounts(collection: Collection): ScopeCounts {
  return { live: collection.live, frequency: (term) => collection.frequency(term) };
}

/**
 * What a word of a question counts for: a name that is everywhere in what is asked shall not rule the question.
 * tools/embedder/README.md, rule 6; the forms of a word are counted under its English stem.
 */
export function wordWeight({ live, frequency }: ScopeCounts): (word: string) => number {
  if (live < 2) return () => 1;
  return (word) => {
    const holding = Math.min(live, frequency(stem(word, 'en')));
    const idf = Math.log(1 + (live - holding + 0.5) / (holding + 0.5));
    return Math.sqrt(idf / Math.log(2 * live + 2) + 0.02);
  };
}

/**
 * Chunks beside each other are about this alike: what the length of a sum of their vectors is reckoned from, so that one
 * with neighbours has no advantage over one without.
 */
const alike = 0.6;
/** Below it a passage without any of the question's words is not brought by its vector. */
const leastCosine = 0.1;

/**
 * Brings the nearest passages among the candidates, and gives every candidate its cosine, to which the chunks before
 * and after lend. The lowest cosine of a full pool is returned: what the arm counts from.
 */
export function addCosines(
  arm: VectorArm,
  vector: Float32Array,
  candidates: Map<number, Candidate>,
  {
    collection,
    settings,
    admitted,
  }: { collection: Collection; settings: RankSettings; admitted?: Uint8Array },
): number {
  const nearest = arm.nearest(vector, settings.pool, admitted);
  for (const { slot, cosine } of nearest) {
    if (cosine >= leastCosine && collection.alive[slot] === 1) candidatesOf(candidates, slot);
  }
  // Each with the chunks before and after it; -1 where there is none.
  const lends = settings.neighbourVector > 0;
  const asked: number[] = [];
  for (const slot of candidates.keys())
    asked.push(
      slot,
      lends ? (collection.before[slot] ?? -1) : -1,
      lends ? (collection.after[slot] ?? -1) : -1,
    );
  const cosines = arm.cosines(vector, asked);
  let at = 0;
  for (const candidate of candidates.values()) {
    const { slot } = candidate;
    let sum = cosines[at] ?? 0;
    let length = 1;
    for (let beside = at + 1; beside < at + 3; beside += 1) {
      const other = asked[beside] ?? -1;
      if (other < 0) continue;
      const share = settings.neighbourVector * closeness(collection, slot, other, settings);
      sum += share * (cosines[beside] ?? 0);
      length += alike * share;
    }
    candidate.cosine = Math.max(0, sum / length);
    at += 3;
  }
  const last = nearest[settings.pool - 1];
  return last === undefined ? 0 : Math.max(0, last.cosine);
}
