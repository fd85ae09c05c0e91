// A question to the best chunks of a collection, with what each score is made of. No I/O of its own: it sees the
// collection and nothing else.
import { keepBest } from './best.ts';
import { type Candidate, candidatesOf, scaled } from './candidates.ts';
import type { Collection } from './collection.ts';
import { expansion } from './expansion.ts';
import { borrowed, likeness } from './likeness.ts';
import { holdsPhrase, nearness } from './nearness.ts';
import { partsOf, type ScoreParts } from './parts.ts';
import { type Reading, readBodies } from './reading.ts';
import { asksForNewest, recencies } from './recency.ts';
import { type RankSettings, rankSettings } from './settings.ts';
import { withTyposMended } from './typos.ts';
import { addCosines, scopeCounts, wordWeight } from './vectors.ts';
import {
  type AskedTerm,
  askedTerms,
  fewSlots,
  fieldNorms,
  placeOf,
  scoreWords,
  type WordScores,
} from './words.ts';

export interface Question {
  /** In order of appearance; one asked for twice stands there twice. */
  terms: readonly string[];
  /** Terms of what stood in quotes, a list each. */
  phrases?: readonly (readonly string[])[];
  /**
   * The question's unit vector in the space of the collection's vectors; undefined where the model knows no word of it.
   * `weightOf`: what a word of the question counts for in what is asked. Embedders that know no weights ignore it.
   */
  embed?: (weightOf: (word: string) => number) => Float32Array | undefined;
  /** Cosines of the vector with what passages (numbers of `terms`) say beside `without`, where a model can tell. */
  contexts?: (
    vector: Float32Array,
    passages: readonly Int32Array[],
    terms: readonly string[],
    without: ReadonlySet<string>,
  ) => Float32Array;
}

export interface RankOptions {
  limit: number;
  /** 1 by slot where the question may look; everything where it is left out. */
  admitted?: Uint8Array;
  settings?: RankSettings;
}

export interface Ranked {
  slot: number;
  /** Comparable within one answer only. */
  score: number;
  parts: ScoreParts;
}

/** The best candidates with their bodies: `first` and the passages of the reading stand beside each other. */
interface Read {
  first: Candidate[];
  reading: Reading;
}

/** The question's words near each other, and phrases in quotes. */
function addNearness(
  collection: Collection,
  { first, reading }: Read,
  {
    asked,
    phrases,
    settings,
  }: { asked: readonly AskedTerm[]; phrases: Question['phrases']; settings: RankSettings },
): void {
  const places = new Map(asked.map(({ term }, i) => [term, i]));
  const askedAt = Int32Array.from(reading.terms, (term) => places.get(term) ?? -1);
  const idf = asked.map((one) => one.idf);
  const norms = fieldNorms(collection, settings);
  const wanted = (phrases ?? []).map((phrase) => ({
    numbers: phrase.map((term) => reading.numberOf(term) ?? -1),
    weight: phrase.reduce((sum, term) => sum + (idf[places.get(term) ?? -1] ?? 0), 0),
  }));
  first.forEach((candidate, i) => {
    const passage = reading.passages[i] ?? new Int32Array();
    const norm = norms.body(candidate.slot);
    candidate.near = settings.proximityWeight * nearness(passage, askedAt, idf, { k1: settings.k1, norm });
    for (const { numbers, weight } of wanted) {
      if (holdsPhrase(passage, numbers)) candidate.near += settings.phraseWeight * weight;
    }
  });
}

/** The slots that may be answered, best first by their words. */
function bestByWords(
  collection: Collection,
  { own, neighbours, among }: WordScores,
  { count, admitted }: { count: number; admitted: Uint8Array | undefined },
) {
  const best = keepBest(count);
  const { alive } = collection;
  // A plain loop, without a function a slot; and first what nearly every slot fails by, once the best are many.
  let { least } = best;
  const end = among === undefined ? collection.slots : among.length;
  for (let i = 0; i < end; i += 1) {
    const slot = among === undefined ? i : (among[i] as number);
    const score = (own[slot] as number) + (neighbours[slot] as number);
    if (score < least || score <= 0) continue;
    if (alive[slot] !== 1 || (admitted !== undefined && admitted[slot] !== 1)) continue;
    best.offer(slot, score);
    least = best.least;
  }
  return best.take();
}

/** Of the question's words those that stand in the best met of the passages: how many, and their share of its weight. */
function metIn(asked: readonly AskedTerm[], slots: readonly number[]): { words: number; coverage: number } {
  const total = asked.reduce((sum, { idf }) => sum + idf, 0);
  let words = 0;
  let coverage = 0;
  for (const slot of slots) {
    const met = asked.filter(({ postings }) => postings !== undefined && placeOf(postings.slots, slot) >= 0);
    words = Math.max(words, met.length);
    coverage = Math.max(coverage, met.reduce((sum, { idf }) => sum + idf, 0) / (total || 1));
  }
  return { words, coverage };
}

/** So many of the best passages by words are heard on whether the words were meant. */
const heard = 3;

/**
 * 0 to 1: how likely the words of the question stand in its best passages by chance. There what the passages say beside
 * those words has little to do with the question, less than what other passages say, and much of the question is unmet.
 */
function doubtOf(
  first: readonly Candidate[],
  contexts: Float32Array,
  { asked, settings }: { asked: readonly AskedTerm[]; settings: RankSettings },
): number {
  const best = first
    .map(({ slot, words, near }, i) => ({ slot, words: words + near, context: contexts[i] ?? 0 }))
    .filter(({ words }) => words > 0)
    .sort((a, b) => b.words - a.words)
    .slice(0, heard);
  const most = contexts.reduce((one, other) => Math.max(one, other), 0);
  if (most === 0) return 0;
  if (best.length === 0) return 1;
  const agreement = best.reduce((sum, { context }) => sum + context, 0) / best.length / most;
  const met = metIn(
    asked,
    best.map(({ slot }) => slot),
  );
  const alone = Math.max(0, 1 - (met.words - 1) / (settings.neverByChance - 1));
  const unmet = Math.min(1, (1 - met.coverage) / settings.doubtfulUnmet);
  return alone * unmet * Math.max(0, 1 - agreement / settings.enoughAgreement);
}

interface Fusion {
  list: Candidate[];
  /** Of the vectors; the words have the rest. */
  weight: number;
  /** Where each arm's scale begins and ends: the last of a full pool, and the best. */
  lowWords: number;
  highWords: number;
  lowCosine: number;
  highCosine: number;
}

const wordsScaled = (one: Candidate, { lowWords, highWords }: Fusion) =>
  scaled(one.words + one.near + one.expanded, lowWords, highWords);
const cosineScaled = (one: Candidate, { lowCosine, highCosine }: Fusion) =>
  scaled(one.cosine, lowCosine, highCosine);

/** Weighted min-max, never ranks alone: by how much a passage is better counts. */
function fuse(fusion: Fusion): void {
  const { list, weight } = fusion;
  let highWords = 0;
  let highCosine = 0;
  for (const { words, near, expanded, cosine } of list) {
    highWords = Math.max(highWords, words + near + expanded);
    highCosine = Math.max(highCosine, cosine);
  }
  fusion.highWords = highWords;
  fusion.highCosine = highCosine;
  for (const one of list) {
    one.fused = (1 - weight) * wordsScaled(one, fusion) + weight * cosineScaled(one, fusion);
    one.score = one.fused;
  }
  list.sort(byScore);
}

/** What the terms earn that the best passages share. Expects scores that are fused, and leaves them to be fused anew. */
function addExpansion(
  collection: Collection,
  { first, reading }: Read,
  { asked, settings }: { asked: readonly AskedTerm[]; settings: RankSettings },
): void {
  const slots = first.map(({ slot }) => slot);
  const scores = first.map(({ fused }) => fused);
  const words = asked.reduce((sum, one) => sum + one.asked, 0);
  const norms = fieldNorms(collection, settings);
  expansion(collection, { reading, slots, scores }, { asked: words, settings, norms }).forEach(
    (earned, i) => {
      const one = first[i];
      if (one !== undefined) one.expanded = earned;
    },
  );
}

/** A part of each score comes from the passages most like it among the best. */
function smooth({ first, reading }: Read, { smoothing, smoothedBy }: RankSettings): void {
  if (smoothing === 0 || first.length < 2) return;
  const own = first.map(({ fused }) => fused);
  borrowed(own, likeness(reading), smoothedBy).forEach((lent, i) => {
    const one = first[i];
    if (one !== undefined) one.score = (1 - smoothing) * one.fused + smoothing * lent;
  });
}

// Whole numbers only: a difference of scores would be an object each.
const byScore = (a: Candidate, b: Candidate) =>
  b.score > a.score ? 1 : b.score < a.score ? -1 : a.slot - b.slot;

/** What is rare elsewhere may be what a narrow scope is all about. */
function settingsWithin(among: Uint32Array | undefined, settings: RankSettings): RankSettings {
  if (among === undefined) return settings;
  const { rarityInScope: rarity, neighbourWeightInScope: neighbourWeight } = settings;
  return { ...settings, rarity, neighbourWeight };
}

/** The best chunks, best first: at most `limit`, each admitted and alive. */
export function rank(collection: Collection, question: Question, options: RankOptions): Ranked[] {
  const { admitted } = options;
  const among = fewSlots(collection, admitted);
  const settings = settingsWithin(among, options.settings ?? rankSettings);
  const asked = withTyposMended(collection, askedTerms(collection, question.terms));
  const scores = scoreWords(collection, asked, settings, among);
  const byWords = bestByWords(collection, scores, {
    count: Math.max(settings.pool, options.limit),
    admitted,
  });
  const pool = byWords.slots.slice(0, settings.pool);
  const candidates = new Map<number, Candidate>();
  pool.forEach((slot, i) => {
    candidatesOf(candidates, slot, byWords.scores[i] ?? 0);
  });

  const arm = collection.vectors;
  const vector = arm && question.embed?.(wordWeight(scopeCounts(collection, among, admitted)));
  const lowCosine =
    arm === undefined || vector === undefined
      ? 0
      : addCosines(arm, vector, candidates, { collection, settings, ...(admitted && { admitted }) });
  const fusion: Fusion = {
    list: [...candidates.values()],
    weight: vector === undefined ? 0 : settings.vectorWeight,
    lowWords: byWords.scores[settings.pool - 1] ?? 0,
    highWords: 0,
    lowCosine,
    highCosine: 0,
  };
  fuse(fusion);
  const first = fusion.list.slice(0, settings.read);
  const read: Read = { first, reading: readBodies(collection.bodies(first.map(({ slot }) => slot))) };
  addNearness(collection, read, { asked, phrases: question.phrases, settings });
  if (vector !== undefined && question.contexts !== undefined) {
    const { passages, terms } = read.reading;
    const contexts = question.contexts(vector, passages, terms, new Set(asked.map(({ term }) => term)));
    const doubt = doubtOf(first, contexts, { asked, settings });
    fusion.weight += doubt * (settings.vectorWeightInDoubt - settings.vectorWeight);
    const share = settings.contextShare + doubt * (1 - settings.contextShare);
    first.forEach((one, i) => {
      one.cosine = share * (contexts[i] ?? 0) + (1 - share) * one.cosine;
    });
  }
  fuse(fusion);
  // Inside a narrow scope the best passages are much of it: what they share tells nothing apart.
  if (settings.expansion > 0 && among === undefined) {
    addExpansion(collection, read, { asked, settings });
    fuse(fusion);
  }
  smooth(read, settings);
  if (asksForNewest(question.terms)) {
    recencies(first.map(({ slot }) => collection.writtenAt(slot))).forEach((recency, i) => {
      const one = first[i];
      if (one === undefined) return;
      // In proportion to what it has: a passage is not an answer for being new.
      one.recency = settings.recency * recency * one.score;
      one.score += one.recency;
    });
  }

  const best = fusion.list.sort(byScore).slice(0, options.limit);
  const ranking = { collection, asked, scores, settings };
  const answer = best.map((one): Ranked => {
    const earned = {
      byWords: (1 - fusion.weight) * wordsScaled(one, fusion),
      vectors: fusion.weight * cosineScaled(one, fusion),
    };
    return { slot: one.slot, score: one.score, parts: partsOf(one, earned, ranking) };
  });
  // Behind the candidates come all other passages that hold a word of the question, below the last of those.
  const floor = fusion.list.at(-1)?.score ?? 0;
  for (let i = settings.pool; i < byWords.slots.length && answer.length < options.limit; i += 1) {
    const slot = byWords.slots[i] ?? 0;
    const words = byWords.scores[i] ?? 0;
    if (candidates.has(slot)) continue;
    const score = (floor * words) / (fusion.lowWords || 1);
    const one = { slot, words, near: 0, expanded: 0, cosine: 0, recency: 0, fused: score, score };
    answer.push({ slot, score, parts: partsOf(one, { byWords: score, vectors: 0 }, ranking) });
  }
  return answer;
}
