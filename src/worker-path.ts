// Where a worker's entry file is: in its room when run from source, beside the bundle when bundled.
import { basename } from 'node:path';

/** `entry`: a worker's file in src, without its ending. scripts/bundle.ts names the same ones. */
export function workerUrl(
  entry:
    | 'memory/parse-worker'
    | 'memory/search-worker'
    | 'memory/embed-worker'
    | 'store/sqlite/checkpoint-worker',
): URL {
  const fromSource = import.meta.url.endsWith('/src/worker-path.ts');
  return new URL(fromSource ? `./${entry}.ts` : `./${basename(entry)}.mjs`, import.meta.url);
}
