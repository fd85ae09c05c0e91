// A chunk as the texts that a model of others takes: whole where it fits, else cut at words, so that no text is
// longer than what the model reads.

/** Spent for what the model adds itself, and for a tokeniser that cuts finer than most. */
const margin = 0.9;

/** More tokens than any usual tokeniser makes of a letter, so that the sum is rarely too small. */
function weightOf(code: number): number {
  if (code < 0x80) return 1 / 3;
  // Latin, Greek and Cyrillic with their marks; what comes behind is often a token a letter.
  return code < 0x530 ? 1 / 2 : 1.2;
}

/** Pieces of at most about `tokens` tokens, in their order. */
export function piecesOf(title: string, text: string, tokens: number): string[] {
  const whole = `${title}\n${text}`.trim();
  const most = tokens * margin;
  const pieces: string[] = [];
  let from = 0;
  /** The last place between words, and the weight up to it. */
  let space = -1;
  let weight = 0;
  let weightAtSpace = 0;
  for (let i = 0; i < whole.length; i += 1) {
    const code = whole.codePointAt(i) ?? 0;
    const own = weightOf(code);
    if (weight + own > most && i > from) {
      const to = space > from ? space : i;
      pieces.push(whole.slice(from, to).trim());
      weight -= to === i ? weight : weightAtSpace;
      from = to;
      space = -1;
    }
    weight += own;
    if (code === 32 || code === 10) {
      space = i;
      weightAtSpace = weight;
    }
    if (code > 0xffff) i += 1;
  }
  pieces.push(whole.slice(from).trim());
  return pieces.filter((piece) => piece !== '');
}
