// Where the built-in embedder's data is: in data/ when run from source, beside the bundle when bundled.

/** A file of data/embedder; scripts/bundle.ts names the same ones. */
export function embedderFile(name: 'weights.bin' | 'vocabulary.txt'): URL {
  const fromSource = import.meta.url.endsWith('/src/memory/embed/embedder-files.ts');
  return new URL(fromSource ? `../../../data/embedder/${name}` : `./embedder/${name}`, import.meta.url);
}
