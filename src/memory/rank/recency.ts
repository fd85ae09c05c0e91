// Where a question asks for the newest, newer passages are preferred among those that answer it about as well. No
// clock: new is what is near the newest of the candidates.

/** As the index keeps the words: stems without marks (English, German, French, Italian and Spanish). */
const askingForNewest = new Set(['latest', 'newest', 'recent', 'last', 'letzt', 'derni', 'ultim']);
const halfLife = 30 * 86_400_000;

export const asksForNewest = (terms: readonly string[]): boolean =>
  terms.some((term) => askingForNewest.has(term));

/** 1 for the newest, half of it for each thirty days before; 0 where the time is not known. `times`: ms, 0 for unknown. */
export function recencies(times: readonly number[]): number[] {
  const newest = times.reduce((latest, time) => Math.max(latest, time), 0);
  return times.map((time) => (time > 0 ? 2 ** ((time - newest) / halfLife) : 0));
}
