// The keyword arm: BM25F over header and body, and the bodies of the chunks before and after as a field of their
// own, reckoned from the same postings.
import type { Collection, Postings } from './collection.ts';
import type { RankSettings } from './settings.ts';

/** A question's term as the collection knows it. */
export interface AskedTerm {
  term: string;
  /** How often the question asks for it. */
  asked: number;
  idf: number;
  postings: Postings | undefined;
}

/** Scores by slot; what they hold is good until the next question. */
export interface WordScores {
  /** Header and body together. */
  own: Float32Array;
  /** What the bodies of the chunks before and after lend. */
  neighbours: Float32Array;
  /** The slots that were looked at, where the question is for a few only; undefined for all. */
  among: Uint32Array | undefined;
}

/** A term that a long question repeats counts more, up to this often. */
const maxRepeats = 3;
const maxTerms = 48;
/** Up to this many admitted chunks are looked up in the postings, instead of going through those. */
const narrow = 4000;
/**
 * Places in postings that one question over everything may cost: beyond it the most frequent terms are left out, but
 * never the rarest three. About 1 ms for 100,000.
 */
const postingsBudget = 2_000_000;
const surelyAsked = 3;

export const idfOf = (live: number, frequency: number) =>
  Math.log(1 + (Math.max(live, frequency) - frequency + 0.5) / (frequency + 0.5));

/** The distinct terms in the question's order, with those that no chunk holds: they tell how much is unmet. */
export function askedTerms(collection: Collection, terms: readonly string[]): AskedTerm[] {
  const asked = new Map<string, number>();
  for (const term of terms) asked.set(term, Math.min(maxRepeats, (asked.get(term) ?? 0) + 1));
  return [...asked].slice(0, 2 * maxTerms).map(([term, times]) => {
    const frequency = collection.frequency(term);
    return {
      term,
      asked: times,
      idf: idfOf(collection.live, frequency),
      postings: frequency === 0 ? undefined : collection.postings(term),
    };
  });
}

/** Where `slot` stands in ascending `slots`, at or after `from`; -1 where it does not. */
export function placeOf(slots: Uint32Array, slot: number, from = 0): number {
  let low = from;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle] ?? 0) < slot) low = middle + 1;
    else high = middle;
  }
  return slots[low] === slot ? low : -1;
}

/** Kept between questions: an org with a million chunks would allocate eight megabytes for each. */
let scratch = {
  own: new Float32Array(0),
  /** The body alone, as neighbours lend it. */
  body: new Float32Array(0),
};

function emptyScores(slots: number): typeof scratch {
  if (scratch.own.length < slots) {
    const size = Math.ceil(slots * 1.05);
    scratch = { own: new Float32Array(size), body: new Float32Array(size) };
  } else {
    scratch.own.fill(0, 0, slots);
    scratch.body.fill(0, 0, slots);
  }
  return scratch;
}

/** The slots that a narrow filter admits and their neighbours, ascending; undefined where there are many. */
export function fewSlots(collection: Collection, admitted: Uint8Array | undefined): Uint32Array | undefined {
  if (admitted === undefined) return undefined;
  const few = new Set<number>();
  for (let slot = admitted.indexOf(1); slot >= 0; slot = admitted.indexOf(1, slot + 1)) {
    few.add(slot);
    for (const beside of [collection.before[slot] ?? -1, collection.after[slot] ?? -1]) {
      if (beside >= 0) few.add(beside);
    }
    if (few.size > narrow) return undefined;
  }
  return Uint32Array.from(few).sort();
}

/** In one order wherever they are scored, so that sums come out the same to the last bit. */
function rarestFirst(terms: readonly AskedTerm[]): AskedTerm[] {
  return terms
    .filter(({ postings }) => postings !== undefined)
    .sort((a, b) => b.idf - a.idf)
    .slice(0, maxTerms);
}

/** Of the terms, rarest first, those that are worth their cost in a search over everything. */
function affordable(terms: readonly AskedTerm[]): AskedTerm[] {
  let spent = 0;
  return terms.filter(({ postings }, i) => {
    spent += postings?.slots.length ?? 0;
    return i < surelyAsked || spent <= postingsBudget;
  });
}

export interface FieldNorms {
  /** What one occurrence counts for by slot: shorter fields count more. */
  header(slot: number): number;
  body(slot: number): number;
}

export function fieldNorms(collection: Collection, settings: RankSettings): FieldNorms {
  const { headerLength, bodyLength } = collection;
  const perHeader = settings.headerB / (collection.meanHeaderLength || 1);
  const perBody = settings.bodyB / (collection.meanBodyLength || 1);
  const headerRest = 1 - settings.headerB;
  const bodyRest = 1 - settings.bodyB;
  const shortestBody = Math.min(settings.shortestBody, collection.meanBodyLength);
  return {
    header: (slot) => settings.headerWeight / (headerRest + perHeader * (headerLength[slot] ?? 0)),
    body: (slot) => 1 / (bodyRest + perBody * Math.max(shortestBody, bodyLength[slot] ?? 0)),
  };
}

/** Whether no document begins after the one slot, up to the other. */
function sameDocument(first: Uint8Array, slot: number, other: number): boolean {
  for (let at = Math.max(slot, other); at > Math.min(slot, other); at -= 1) if (first[at] === 1) return false;
  return true;
}

/** What a neighbour's say counts for: messages answer each other, while the parts of one document speak for themselves. */
export function closeness(
  collection: Collection,
  slot: number,
  other: number,
  settings: RankSettings,
): number {
  return sameDocument(collection.first, slot, other) ? settings.withinDocument : 1;
}

/** `among`: looks at these slots only (`fewSlots`); everything where it is left out. */
export function scoreWords(
  collection: Collection,
  terms: readonly AskedTerm[],
  settings: RankSettings,
  among?: Uint32Array,
): WordScores {
  const scores = emptyScores(collection.slots);
  const norms = fieldNorms(collection, settings);
  const { k1 } = settings;
  const held = rarestFirst(terms);
  for (const { postings, asked, idf } of among === undefined ? affordable(held) : held) {
    if (postings === undefined) continue;
    addTerm(scores, postings, { among, norms, k1, weight: asked * idf ** settings.rarity * (k1 + 1) });
  }
  if (settings.neighbourWeight === 0) scores.body.fill(0, 0, collection.slots);
  else lend(scores.body, { collection, settings, among });
  return { own: scores.own, neighbours: scores.body, among };
}

// Plain loops without a function a place: at a million chunks they are much of a question.

/** What a term counts for in each chunk that holds it, or in those of them that are `among` a few. */
function addTerm(
  { own, body }: typeof scratch,
  { slots, header: headers, body: bodies }: Postings,
  {
    among,
    norms,
    k1,
    weight,
  }: { among: Uint32Array | undefined; norms: FieldNorms; k1: number; weight: number },
): void {
  const end = among === undefined ? slots.length : among.length;
  for (let i = 0; i < end; i += 1) {
    const at = among === undefined ? i : placeOf(slots, among[i] as number);
    if (at < 0) continue;
    const slot = slots[at] as number;
    const inHeader = headers[at] as number;
    const inBody = bodies[at] as number;
    const bodyTf = inBody * norms.body(slot);
    const tf = bodyTf + (inHeader === 0 ? 0 : inHeader * norms.header(slot));
    own[slot] = (own[slot] as number) + (weight * tf) / (k1 + tf);
    if (inBody > 0) body[slot] = (body[slot] as number) + (weight * bodyTf) / (k1 + bodyTf);
  }
}

/**
 * Puts in the place of what each body says what the bodies before and after lend it: beside it they would be an array
 * more. The slot that stands first lends first, so that sums are the same to the last bit wherever they are made.
 */
function lend(
  body: Float32Array,
  {
    collection,
    settings,
    among,
  }: { collection: Collection; settings: RankSettings; among: Uint32Array | undefined },
): void {
  const { before, after, slots } = collection;
  const lent = (said: number, slot: number, other: number): number =>
    said === 0 ? 0 : settings.neighbourWeight * said * closeness(collection, slot, other, settings);
  const sum = (slot: number, one: number, oneSaid: number, other: number, otherSaid: number): number => {
    const first = lent(oneSaid, slot, one);
    const second = lent(otherSaid, slot, other);
    return one < other ? Math.fround(first) + second : Math.fround(second) + first;
  };
  const said = (slot: number): number => (slot < 0 ? 0 : (body[slot] as number));
  if (among !== undefined) {
    const sums = Float32Array.from(among, (slot) => {
      const [one, other] = [before[slot] as number, after[slot] as number];
      return sum(slot, one, said(one), other, said(other));
    });
    among.forEach((slot, i) => {
      body[slot] = sums[i] as number;
    });
    return;
  }
  // From the first of each thread to its last: what one said is still known at the next.
  let left = slots;
  for (let head = 0; head < slots; head += 1) {
    if ((before[head] as number) >= 0) continue;
    let one = -1;
    let oneSaid = 0;
    for (let slot = head; slot >= 0; ) {
      const other = after[slot] as number;
      const own = body[slot] as number;
      const otherSaid = other < 0 ? 0 : (body[other] as number);
      body[slot] = oneSaid === 0 && otherSaid === 0 ? 0 : sum(slot, one, oneSaid, other, otherSaid);
      one = slot;
      oneSaid = own;
      slot = other;
      left -= 1;
      if (left < 0) throw new Error('Chunks stand in a ring.');
    }
  }
}
