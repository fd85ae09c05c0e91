// Vectors of chunks as they are stored: one of each passage, a byte a dimension. By the built-in embedder, beside
// parsing, so that they are written with their chunks.
import { passagesOf } from './embed/passages.ts';
import { loadStaticEn, type StaticModel, staticEn } from './embed/static-en.ts';
import { quantise } from './index/signatures.ts';

/** The passages' vectors one after another; undefined where the model knows no word of them. */
export function vectorsOf(model: StaticModel, title: string, passage: string): Uint8Array | undefined {
  const { dimensions } = staticEn;
  const vectors = model.passages(passagesOf(title, passage));
  const packed = new Uint8Array(vectors.length);
  let used = 0;
  for (let from = 0; from < vectors.length; from += dimensions) {
    const vector = vectors.subarray(from, from + dimensions);
    // A passage without a known word has no direction.
    if (vector.every((value) => value === 0)) continue;
    packed.set(new Uint8Array(quantise(vector).buffer), used);
    used += dimensions;
  }
  return used === 0 ? undefined : packed.slice(0, used);
}

interface Embeddable {
  title: string;
  text: string;
  chunks: { start: number; end: number; vectors?: { model: string; vector: Uint8Array }[] }[];
}

export async function embedChunks(documents: readonly Embeddable[]): Promise<void> {
  const model = await loadStaticEn();
  for (const { title, text, chunks } of documents) {
    for (const chunk of chunks) {
      const vector = vectorsOf(model, title, text.slice(chunk.start, chunk.end));
      if (vector !== undefined) chunk.vectors = [{ model: staticEn.name, vector }];
    }
  }
}
