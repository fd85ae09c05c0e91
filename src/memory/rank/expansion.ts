// Relevance feedback: what the best passages speak of beside the question's words counts a little too (RM3:
// Abdul-Jaleel et al., TREC 2004). Reckoned on the passages that are read, so it costs no postings.
import type { Collection } from './collection.ts';
import type { RankSettings } from './settings.ts';
import { type FieldNorms, idfOf } from './words.ts';

interface Feedback {
  term: string;
  weight: number;
}

/** Terms of which the frequency in the collection is asked, commonest in the passages first. */
const lookedUp = 40;
/** A term in more than this share of all chunks says nothing: function words are among the bodies' terms. */
const tooCommon = 0.1;

/** The terms of the passages by how often they stand there, weighted by the passages' scores. */
function termsOfBest(bodies: readonly (readonly string[])[], scores: readonly number[]): Feedback[] {
  const total = scores.reduce((sum, score) => sum + score, 0) || 1;
  const weights = new Map<string, number>();
  bodies.forEach((body, i) => {
    const share = (scores[i] ?? 0) / total / (body.length || 1);
    for (const term of body) weights.set(term, (weights.get(term) ?? 0) + share);
  });
  return [...weights]
    .map(([term, weight]) => ({ term, weight }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1));
}

/**
 * What each passage earns by the terms that the first of them share, in the unit of the words' scores. `passages`: best
 * first, with their scores; `asked`: how many words the question has.
 */
export function expansion(
  collection: Collection,
  passages: readonly { slot: number; score: number; body: readonly string[] }[],
  { asked, settings, norms }: { asked: number; settings: RankSettings; norms: FieldNorms },
): number[] {
  const { expansion: share, expandedFrom, expandedBy, k1 } = settings;
  const best = passages.slice(0, expandedFrom);
  const live = collection.live;
  const chosen: (Feedback & { idf: number })[] = [];
  const offered = termsOfBest(
    best.map(({ body }) => body),
    best.map(({ score }) => score),
  );
  let looked = 0;
  for (const { term, weight } of offered) {
    if (chosen.length === expandedBy || looked === lookedUp + expandedBy) break;
    looked += 1;
    const frequency = collection.frequency(term);
    if (frequency > live * tooCommon || frequency < 2) continue;
    chosen.push({ term, weight, idf: idfOf(live, frequency) });
  }
  const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return passages.map(() => 0);
  const weightOf = new Map(
    chosen.map(({ term, weight, idf }) => [term, (share * asked * weight * idf * (k1 + 1)) / total]),
  );
  return passages.map(({ slot, body }) => {
    const counts = new Map<string, number>();
    for (const term of body) if (weightOf.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
    let sum = 0;
    for (const [term, count] of counts) {
      const tf = count * norms.body(slot);
      sum += ((weightOf.get(term) ?? 0) * tf) / (k1 + tf);
    }
    return sum;
  });
}
