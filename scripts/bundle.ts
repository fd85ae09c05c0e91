// What the bundle holds beside the program: the workers, each an entry of its own, and files read at run time.

/** Name in dist/ (without ending) → source. */
export const workers: Record<string, string> = {
  'parse-worker': 'src/memory/parse-worker.ts',
  'search-worker': 'src/memory/search-worker.ts',
  'embed-worker': 'src/memory/embed-worker.ts',
  'checkpoint-worker': 'src/store/sqlite/checkpoint-worker.ts',
};

/** Name in dist/ → source. */
export const bundledFiles: Record<string, string> = {
  'assets/style.css': 'src/dashboard/assets/style.css',
  'assets/accounts.css': 'src/dashboard/assets/accounts.css',
  'assets/memory.css': 'src/dashboard/assets/memory.css',
  'assets/inbox.css': 'src/dashboard/assets/inbox.css',
  'assets/page.js': 'src/dashboard/assets/page.js',
  'assets/keys.js': 'src/dashboard/assets/keys.js',
  'assets/passkeys.js': 'src/dashboard/assets/passkeys.js',
  'assets/icon.svg': 'src/dashboard/assets/icon.svg',
  'embedder/weights.bin': 'data/embedder/weights.bin',
  'embedder/vocabulary.txt': 'data/embedder/vocabulary.txt',
  'embedder/LICENSE': 'data/embedder/LICENSE',
  'embedder/SOURCES.md': 'data/embedder/SOURCES.md',
};
