// How like the best passages are to each other by their words: what the question's best passages agree on counts
// for each of them. Needs no statistics but those of the passages themselves.

/** Of more than this share of the passages a word says nothing; of one alone it likens nothing. */
const tooMany = 0.5;

/** Cosines of the passages' weighted words, row by row; the diagonal is 0. `bodies`: terms of each. */
export function likeness(bodies: readonly (readonly string[])[]): Float32Array {
  const count = bodies.length;
  const holders = new Map<string, { slots: number[]; times: number[] }>();
  bodies.forEach((body, i) => {
    for (const term of body) {
      let known = holders.get(term);
      if (known === undefined) {
        known = { slots: [], times: [] };
        holders.set(term, known);
      }
      const last = known.slots.length - 1;
      if (known.slots[last] === i) known.times[last] = (known.times[last] ?? 0) + 1;
      else {
        known.slots.push(i);
        known.times.push(1);
      }
    }
  });
  const like = new Float32Array(count * count);
  const squares = new Float64Array(count);
  for (const { slots, times } of holders.values()) {
    if (slots.length > count * tooMany) continue;
    const idf = Math.log((count + 1) / slots.length);
    const weights = times.map((time, i) => {
      const norm = (bodies[slots[i] ?? 0]?.length ?? 0) + 1;
      return (idf * time) / (time + 0.3 + (0.9 * norm) / 150);
    });
    for (let i = 0; i < slots.length; i += 1) {
      const one = slots[i] ?? 0;
      const weight = weights[i] ?? 0;
      squares[one] = (squares[one] ?? 0) + weight * weight;
      for (let j = i + 1; j < slots.length; j += 1) {
        const cell = one * count + (slots[j] ?? 0);
        like[cell] = (like[cell] ?? 0) + weight * (weights[j] ?? 0);
      }
    }
  }
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      const cosine = (like[i * count + j] ?? 0) / (Math.sqrt((squares[i] ?? 0) * (squares[j] ?? 0)) || 1);
      like[i * count + j] = cosine;
      like[j * count + i] = cosine;
    }
  }
  return like;
}

/** For each passage the mean score of the `nearest` passages most like it, weighted by how like they are. */
export function borrowed(scores: readonly number[], like: Float32Array, nearest: number): number[] {
  const count = scores.length;
  return scores.map((own, i) => {
    const row = Array.from(like.subarray(i * count, (i + 1) * count));
    const order = row
      .map((_, j) => j)
      .filter((j) => (row[j] ?? 0) > 0)
      .sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0))
      .slice(0, nearest);
    let sum = 0;
    let weight = 0;
    for (const j of order) {
      sum += (row[j] ?? 0) * (scores[j] ?? 0);
      weight += row[j] ?? 0;
    }
    return weight === 0 ? own : sum / weight;
  });
}
