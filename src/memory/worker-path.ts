// Where a worker's entry file is: beside this file when run from source, beside the bundle when bundled.

/** `name` of a worker's entry: `parse-worker` or `search-worker`. */
export function workerUrl(name: 'parse-worker' | 'search-worker'): URL {
  const fromSource = import.meta.url.endsWith('/memory/worker-path.ts');
  return new URL(fromSource ? `./${name}.ts` : `./${name}.mjs`, import.meta.url);
}
