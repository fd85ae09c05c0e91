// How many letters tell two words apart: one more, one less, another, or two exchanged.

/** Whether `other` is at most `most` edits from `word` (optimal string alignment). */
export function within(word: string, other: string, most: number): boolean {
  if (Math.abs(word.length - other.length) > most) return false;
  let twoBack: number[] = [];
  let back = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= word.length; i += 1) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= other.length; j += 1) {
      const same = word[i - 1] === other[j - 1];
      let cost = Math.min((back[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (back[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && word[i - 1] === other[j - 2] && word[i - 2] === other[j - 1])
        cost = Math.min(cost, (twoBack[j - 2] ?? 0) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return false;
    twoBack = back;
    back = row;
  }
  return (back[other.length] ?? most + 1) <= most;
}
