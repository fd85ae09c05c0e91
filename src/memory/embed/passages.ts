// A chunk as the passages that are embedded: about a hundred words each, for a vector of a longer text is a blur.

/** Words a passage has; a rest of less than `leastRest` of that stays with the passage before it. */
const wordsInPassage = 100;
const leastRest = 0.3;

/** `title`: the document's, which the first passage opens with. Never the address lines of a mail. */
export function passagesOf(title: string, text: string, words = wordsInPassage): string[] {
  const all = `${title}\n${text}`.trim().split(/\s+/u);
  if (all.length <= words * (1 + leastRest)) return [all.join(' ')];
  const passages: string[] = [];
  for (let from = 0; from < all.length; from += words) {
    const rest = all.length - from - words;
    const to = rest < words * leastRest ? all.length : from + words;
    passages.push(all.slice(from, to).join(' '));
    if (to === all.length) break;
  }
  return passages;
}
