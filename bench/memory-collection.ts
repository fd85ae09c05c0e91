// A `Collection` in memory, made from records as ingestion reads them: ranking is measured and tested without a
// store. Vectors are exact here.
import { parseRecords } from '../src/memory/parse.ts';
import { keepBest } from '../src/memory/rank/best.ts';
import type { Collection, Postings, VectorArm } from '../src/memory/rank/collection.ts';
import type { SourceRecord } from '../src/providers/record.ts';

/** A chunk as ranking sees it; `thread` and `writtenAt` are its document's. */
export interface MemoryChunk {
  document: string;
  header: string[];
  body: string[];
  thread?: string | undefined;
  writtenAt?: number | undefined;
  /** Unit vectors of its passages, one after another. */
  vectors?: Float32Array | undefined;
}

export interface MemoryCollection extends Collection {
  /** The chunks that it was made from, by slot. */
  readonly chunks: readonly MemoryChunk[];
}

interface Growing {
  slots: number[];
  header: number[];
  body: number[];
}

/** Documents of one thread stand beside each other in the order given; so do the chunks of a document. */
function neighboursOf(chunks: readonly MemoryChunk[]): { before: Int32Array; after: Int32Array } {
  const before = new Int32Array(chunks.length).fill(-1);
  const after = new Int32Array(chunks.length).fill(-1);
  const last = new Map<string, number>();
  chunks.forEach((chunk, slot) => {
    const place = chunk.thread === undefined ? `document ${chunk.document}` : `thread ${chunk.thread}`;
    const previous = last.get(place);
    if (previous !== undefined) {
      before[slot] = previous;
      after[previous] = slot;
    }
    last.set(place, slot);
  });
  return { before, after };
}

function postingsOf(chunks: readonly MemoryChunk[]): Map<string, Postings> {
  const growing = new Map<string, Growing>();
  const count = (term: string, slot: number, field: 'header' | 'body') => {
    let known = growing.get(term);
    if (known === undefined) {
      known = { slots: [], header: [], body: [] };
      growing.set(term, known);
    }
    if (known.slots.at(-1) !== slot) {
      known.slots.push(slot);
      known.header.push(0);
      known.body.push(0);
    }
    const at = known.slots.length - 1;
    known[field][at] = Math.min(255, (known[field][at] ?? 0) + 1);
  };
  chunks.forEach(({ header, body }, slot) => {
    for (const term of header) count(term, slot, 'header');
    for (const term of body) count(term, slot, 'body');
  });
  return new Map(
    [...growing].map(([term, { slots, header, body }]) => [
      term,
      { slots: Uint32Array.from(slots), header: Uint8Array.from(header), body: Uint8Array.from(body) },
    ]),
  );
}

const mean = (lengths: Uint16Array) =>
  lengths.reduce((sum, length) => sum + length, 0) / (lengths.length || 1);

/** Edits between two words: a letter more, less or another, or two neighbours swapped. */
export function editDistance(a: string, b: string): number {
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (last[j - 2] ?? 0) + 1);
      }
      next.push(best);
    }
    last = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

function vectorArmOf(chunks: readonly MemoryChunk[], dimensions: number): VectorArm | undefined {
  const total = chunks.reduce((sum, { vectors }) => sum + (vectors?.length ?? 0), 0);
  if (total === 0) return undefined;
  const all = new Float32Array(total);
  /** Where a slot's passages begin in `all`; they end where the next slot's begin. */
  const begins = new Uint32Array(chunks.length + 1);
  chunks.forEach(({ vectors }, slot) => {
    const begin = begins[slot] ?? 0;
    if (vectors !== undefined) all.set(vectors, begin);
    begins[slot + 1] = begin + (vectors?.length ?? 0);
  });
  const cosine = (query: Float32Array, slot: number): number => {
    const end = begins[slot + 1] ?? 0;
    let best = Number.NEGATIVE_INFINITY;
    for (let begin = begins[slot] ?? 0; begin < end; begin += dimensions) {
      let sum = 0;
      for (let d = 0; d < dimensions; d += 1) sum += (query[d] ?? 0) * (all[begin + d] ?? 0);
      if (sum > best) best = sum;
    }
    return Number.isFinite(best) ? best : 0;
  };
  return {
    nearest(query, count, admitted) {
      const best = keepBest(count);
      for (let slot = 0; slot < chunks.length; slot += 1) {
        if (admitted === undefined || admitted[slot] === 1) best.offer(slot, cosine(query, slot));
      }
      const { slots, scores } = best.take();
      return slots.map((slot, i) => ({ slot, cosine: scores[i] ?? 0 }));
    },
    cosines: (query, slots) => Float32Array.from(slots, (slot) => cosine(query, slot)),
  };
}

export function createMemoryCollection(chunks: readonly MemoryChunk[], dimensions = 256): MemoryCollection {
  const postings = postingsOf(chunks);
  const headerLength = Uint16Array.from(chunks, ({ header }) => Math.min(65_535, header.length));
  const bodyLength = Uint16Array.from(chunks, ({ body }) => Math.min(65_535, body.length));
  return {
    chunks,
    slots: chunks.length,
    alive: new Uint8Array(chunks.length).fill(1),
    live: chunks.length,
    headerLength,
    bodyLength,
    meanHeaderLength: mean(headerLength),
    meanBodyLength: mean(bodyLength),
    ...neighboursOf(chunks),
    first: Uint8Array.from(chunks, ({ document }, i) => (chunks[i - 1]?.document === document ? 0 : 1)),
    writtenAt: (slot) => chunks[slot]?.writtenAt ?? 0,
    postings: (term) => postings.get(term),
    frequency: (term) => postings.get(term)?.slots.length ?? 0,
    bodies: (slots) => slots.map((slot) => [...(chunks[slot]?.body ?? [])]),
    similar: (term, distance) =>
      [...postings]
        .filter(([other]) => Math.abs(other.length - term.length) <= distance)
        .filter(([other]) => other !== term && editDistance(term, other) <= distance)
        .sort(([, a], [, b]) => b.slots.length - a.slots.length)
        .map(([other]) => other),
    vectors: vectorArmOf(chunks, dimensions),
  };
}

const recordsAtOnce = 200;

/**
 * The chunks of records in their order, as ingestion reads and cuts them. `embed`: unit vectors of a chunk's passages.
 * @throws Error where a record cannot be read
 */
export async function chunksOfRecords(
  records: readonly SourceRecord[],
  embed?: (title: string, passage: string) => Float32Array,
): Promise<MemoryChunk[]> {
  const chunks: MemoryChunk[] = [];
  for (let i = 0; i < records.length; i += recordsAtOnce) {
    for (const outcome of await parseRecords(records.slice(i, i + recordsAtOnce))) {
      if (!('parsed' in outcome)) throw new Error(`${outcome.externalId}: ${outcome.reason}`);
      const { parsed } = outcome;
      for (const chunk of parsed.chunks) {
        chunks.push({
          document: parsed.externalId,
          header: chunk.header.split(' ').filter((term) => term !== ''),
          body: chunk.body.split(' ').filter((term) => term !== ''),
          thread: parsed.threadId ?? undefined,
          writtenAt: parsed.writtenAt ?? undefined,
          vectors: embed?.(parsed.title, parsed.text.slice(chunk.start, chunk.end)),
        });
      }
    }
  }
  return chunks;
}
