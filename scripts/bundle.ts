// What the bundle holds beside the program: the workers, each an entry of its own, and files read at run time.

/** Name in dist/ (without ending) → source. */
export const workers: Record<string, string> = {};

/** Name in dist/ → source. */
export const bundledFiles: Record<string, string> = {};
