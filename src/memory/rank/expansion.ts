// Relevance feedback: what the best passages speak of beside the question's words counts a little too (RM3:
// Abdul-Jaleel et al., TREC 2004). Reckoned on the passages that are read, so it costs no postings.
import { keepBest } from './best.ts';
import type { Collection } from './collection.ts';
import type { Reading } from './reading.ts';
import type { RankSettings } from './settings.ts';
import { type FieldNorms, idfOf } from './words.ts';

/** Terms of which the frequency in the collection is asked, commonest in the passages first. */
const lookedUp = 50;
/** A term in more than this share of all chunks says nothing: function words are among the bodies' terms. */
const tooCommon = 0.1;

/** How often each term (by number) stands in the passages, weighted by the passages' scores. */
function weightsOfBest(reading: Reading, best: readonly number[], scores: readonly number[]): Float64Array {
  const total = best.reduce((sum, i) => sum + (scores[i] ?? 0), 0) || 1;
  const weights = new Float64Array(reading.terms.length);
  for (const i of best) {
    const passage = reading.passages[i] ?? new Int32Array();
    const share = (scores[i] ?? 0) / total / (passage.length || 1);
    for (const term of passage) weights[term] = (weights[term] ?? 0) + share;
  }
  return weights;
}

/**
 * What each passage earns by the terms that the best of them share, in the unit of the words' scores. `slots` and
 * `scores` stand beside the passages of the reading; `asked`: how many words the question has.
 */
export function expansion(
  collection: Collection,
  { reading, slots, scores }: { reading: Reading; slots: readonly number[]; scores: readonly number[] },
  { asked, settings, norms }: { asked: number; settings: RankSettings; norms: FieldNorms },
): number[] {
  const { expansion: share, expandedFrom, expandedBy, k1 } = settings;
  const byScore = [...slots.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const weights = weightsOfBest(reading, byScore.slice(0, expandedFrom), scores);
  const offered = keepBest(lookedUp);
  weights.forEach((weight, term) => {
    if (weight > 0) offered.offer(term, weight);
  });
  const chosen: { term: number; weight: number; idf: number }[] = [];
  const best = offered.take();
  best.slots.forEach((term, i) => {
    if (chosen.length === expandedBy) return;
    const frequency = collection.frequency(reading.terms[term] ?? '');
    if (frequency < 2 || frequency > collection.live * tooCommon) return;
    chosen.push({ term, weight: best.scores[i] ?? 0, idf: idfOf(collection.live, frequency) });
  });
  const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
  const worth = new Float64Array(reading.terms.length);
  for (const { term, weight, idf } of chosen) worth[term] = (share * asked * weight * idf * (k1 + 1)) / total;
  return reading.passages.map((passage, i) => {
    const counts = new Map<number, number>();
    for (const term of passage) if ((worth[term] ?? 0) > 0) counts.set(term, (counts.get(term) ?? 0) + 1);
    let sum = 0;
    for (const [term, count] of counts) {
      const tf = count * norms.body(slots[i] ?? 0);
      sum += ((worth[term] ?? 0) * tf) / (k1 + tf);
    }
    return sum;
  });
}
