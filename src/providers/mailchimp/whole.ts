// A list that is numbered from its beginning, whole: its pages overlap, as whatever is deleted meanwhile moves the
// rest up, and past the end of the page before.

/** Elements that two pages have in common. */
const overlap = 20;

/**
 * @param ask a page from `offset`, oldest first, and how many there are in all
 * @returns by id; `isWhole`: false where one may have been passed by, and what is not there is not known to be gone
 */
export async function wholeList<T extends { id: string }>(
  ask: (offset: number) => Promise<{ some: readonly T[]; total: number }>,
): Promise<{ all: Map<string, T>; isWhole: boolean }> {
  const all = new Map<string, T>();
  for (let offset = 0, isWhole = true; ; ) {
    const { some, total } = await ask(offset);
    // Nothing in common any more: more went than the pages overlap.
    if (offset > 0 && !some.some(({ id }) => all.has(id))) isWhole = false;
    for (const one of some) all.set(one.id, one);
    if (some.length === 0 || offset + some.length >= total)
      return { all, isWhole: isWhole && all.size >= total };
    offset += Math.max(1, some.length - overlap);
  }
}
