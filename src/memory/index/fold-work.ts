// The folding worker's work: loose chunks to a block and its postings, and several runs to one. It reads, and
// hands back what the main thread is to store.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { loadStaticEn, type StaticModel, staticEnName } from '../embed/static-en.ts';
import { vectorsOf } from '../embed-chunks.ts';
import { PostingsBuilder } from './builder.ts';
import { emptyColumns, encodeColumns, firstOf } from './columns.ts';
import { type Entry, entriesOf, PageWriter, readDirectory } from './pages.ts';
import { PostingList } from './postings.ts';
import { type Access, createRowsOpener } from './rows.sql.ts';
import { Signatures } from './signatures.ts';
import { createStored, type LooseChunk, type Stored } from './stored.sql.ts';

/** Bytes of pages that a step of a merge hands back. */
const stepBytes = 400_000;
/** Chunks that are in memory with their terms at a time. */
const readAtOnce = 250;

export interface FoldTask {
  access: Access;
  orgId: string;
  work:
    | {
        what: 'fold';
        afterSeq: number;
        lastSeq: number;
        most: number;
        models: { name: string; dimensions: number }[];
      }
    /** Begins to merge runs that stand in a row, or goes on with that. */
    | { what: 'merge'; runs: { id: number; slots: number }[]; begin: boolean };
}

export interface Folded {
  what: 'fold';
  firstSeq: number;
  lastSeq: number;
  slots: number;
  columns: Uint8Array;
  pages: Uint8Array[];
  directory: Uint8Array;
  names: Uint8Array;
  signatures: { model: string; bits: Uint8Array }[];
  /** Of chunks that had none. */
  vectors: { seq: number; vector: Uint8Array }[];
}
export interface Merged {
  what: 'merge';
  pages: Uint8Array[];
  /** There when these are the last pages. */
  end: { directory: Uint8Array; names: Uint8Array } | undefined;
}
export type FoldAnswer = Folded | Merged | undefined;

/** Chunks in order, few at a time: all of them with their terms would be tens of megabytes. */
function* readChunks(
  stored: Stored,
  { afterSeq, lastSeq, most }: { afterSeq: number; lastSeq: number; most: number },
): Generator<LooseChunk> {
  let seq = afterSeq;
  for (let left = most; left > 0; ) {
    const wanted = Math.min(readAtOnce, left);
    const some = stored.chunksAfter(seq, lastSeq, wanted);
    for (const chunk of some) {
      yield chunk;
      seq = chunk.seq;
    }
    if (some.length < wanted) return;
    left -= some.length;
  }
}

/** An index into the list, which grows by what it does not hold. */
function numberIn(names: string[], name: string): number {
  const known = names.indexOf(name);
  return known >= 0 ? known : names.push(name) - 1;
}

type FoldWork = Extract<FoldTask['work'], { what: 'fold' }>;

/** Whether there are chunks without vectors: what was stored before there was a model, or by a process without it. */
function lackVectors(stored: Stored, { afterSeq, lastSeq, most }: FoldWork): boolean {
  const upTo = Math.min(lastSeq, afterSeq + most);
  return stored.vectorCount(staticEnName, afterSeq + 1, upTo) < stored.chunkCount(afterSeq + 1, upTo);
}

/** The signatures of these chunks by model; and, where the built-in model is given, vectors of those that have none. */
function signaturesOf(
  stored: Stored,
  seqs: Uint32Array,
  work: FoldWork,
  model: StaticModel | undefined,
): Pick<Folded, 'signatures'> & { made: Folded['vectors'] } {
  const made: Folded['vectors'] = [];
  const signatures = work.models.flatMap(({ name, dimensions }) => {
    const signs = new Signatures(dimensions);
    for (let from = 0; from < seqs.length; from += readAtOnce) {
      const some = seqs.subarray(from, from + readAtOnce);
      const [first = 0, last = 0] = [some[0], some.at(-1)];
      const known = new Map(stored.vectorsBetween(name, first, last).map(({ seq, vector }) => [seq, vector]));
      if (name === staticEnName && model !== undefined) {
        const without = [...some].filter((seq) => !known.has(seq));
        for (const { seq, title, text } of stored.passages(without)) {
          const vector = vectorsOf(model, title, text);
          if (vector === undefined) continue;
          made.push({ seq, vector });
          known.set(seq, new Int8Array(vector.buffer, vector.byteOffset, vector.length));
        }
      }
      some.forEach((seq, i) => {
        const vectors = known.get(seq);
        if (vectors !== undefined) signs.add({ place: from + i, vectors });
      });
    }
    return signs.count === 0 ? [] : [{ model: name, bits: signs.encode() }];
  });
  return { signatures, made };
}

function fold(stored: Stored, work: FoldWork, model: StaticModel | undefined): Folded | undefined {
  const columns = emptyColumns(Math.min(work.most, work.lastSeq - work.afterSeq));
  const builder = new PostingsBuilder();
  for (const chunk of readChunks(stored, work)) {
    const i = builder.slots;
    const length = builder.add(chunk);
    columns.seqs[i] = chunk.seq;
    columns.firsts[i] = chunk.first ? 1 : 0;
    columns.headerLength[i] = Math.min(length.header, 65_535);
    columns.bodyLength[i] = Math.min(length.body, 65_535);
    columns.writtenAt[i] = chunk.writtenAt;
    columns.thread[i] = chunk.thread;
    columns.kind[i] = numberIn(columns.kinds, chunk.kind);
    columns.connection[i] = numberIn(columns.connections, chunk.connection);
  }
  const { slots } = builder;
  if (slots === 0) return undefined;
  const seqs = columns.seqs.subarray(0, slots);
  const { signatures, made } = signaturesOf(stored, seqs, work, model);
  const { pages, directory, names } = builder.write();
  return {
    what: 'fold',
    firstSeq: seqs[0] ?? 0,
    lastSeq: seqs[slots - 1] ?? 0,
    slots,
    columns: encodeColumns(firstOf(columns, slots)),
    pages,
    directory,
    names: zstdCompressSync(names),
    signatures,
    vectors: made,
  };
}

interface Source {
  run: number;
  /** Its first slot in what is made of them. */
  base: number;
  pages: number;
  page: number;
  entries: Iterator<Entry & { term: string }>;
  head: (Entry & { term: string }) | undefined;
}

interface Merging {
  runs: string;
  sources: Source[];
  writer: PageWriter;
  out: Uint8Array[];
}

function advance(source: Source, stored: Stored): void {
  for (;;) {
    const next = source.entries.next();
    if (next.done !== true) {
      source.head = next.value;
      return;
    }
    source.page += 1;
    if (source.page >= source.pages) {
      source.head = undefined;
      return;
    }
    source.entries = entriesOf(stored.page(source.run, source.page));
  }
}

function beginMerge(stored: Stored, runs: readonly { id: number; slots: number }[]): Merging {
  const out: Uint8Array[] = [];
  let base = 0;
  const sources = runs.map(({ id, slots }): Source => {
    const source: Source = {
      run: id,
      base,
      pages: readDirectory(stored.directory(id)).length,
      page: -1,
      entries: [][Symbol.iterator](),
      head: undefined,
    };
    base += slots;
    advance(source, stored);
    return source;
  });
  return { runs: JSON.stringify(runs), sources, writer: new PageWriter((page) => out.push(page)), out };
}

function namesOf(stored: Stored, runs: readonly { id: number }[]): Uint8Array {
  const names = new Set<string>();
  for (const { id } of runs)
    for (const name of zstdDecompressSync(stored.names(id)).toString().split('\n')) names.add(name);
  names.delete('');
  return zstdCompressSync([...names].sort().join('\n'));
}

/** A step of the merge: pages up to `stepBytes`. */
function mergeStep(stored: Stored, merging: Merging, runs: readonly { id: number }[]): Merged {
  const { sources, writer, out } = merging;
  const handed = out.length;
  let bytes = 0;
  while (bytes < stepBytes) {
    let least: string | undefined;
    for (const { head } of sources)
      if (head !== undefined && (least === undefined || head.term < least)) least = head.term;
    if (least === undefined) {
      const directory = writer.end();
      return { what: 'merge', pages: out.splice(handed), end: { directory, names: namesOf(stored, runs) } };
    }
    const list = new PostingList();
    for (const source of sources) {
      if (source.head?.term !== least) continue;
      const { count, last, bytes: postings } = source.head;
      list.append(postings, { count, last, base: source.base });
      advance(source, stored);
    }
    writer.add(least, list.count, list.last, list.sink.bytes.subarray(0, list.sink.length));
    bytes += list.sink.length + least.length;
  }
  return { what: 'merge', pages: out.splice(handed), end: undefined };
}

/** A function that answers tasks; between the steps of a merge it keeps where it stands. */
export function createFolder(): (task: FoldTask) => Promise<FoldAnswer> {
  const opener = createRowsOpener();
  let merging: Merging | undefined;
  return async ({ access, orgId, work }) => {
    const within = <Result>(what: (stored: Stored) => Result): Result =>
      opener.within(access, (rows) => what(createStored(rows, orgId)));
    if (work.what === 'fold') {
      const model = within((stored) => lackVectors(stored, work)) ? await loadStaticEn() : undefined;
      return within((stored) => fold(stored, work, model));
    }
    return within((stored) => {
      if (work.begin) merging = beginMerge(stored, work.runs);
      if (merging === undefined || merging.runs !== JSON.stringify(work.runs)) {
        throw new Error('The merge was not begun here.');
      }
      const step = mergeStep(stored, merging, work.runs);
      if (step.end !== undefined) merging = undefined;
      return step;
    });
  };
}
