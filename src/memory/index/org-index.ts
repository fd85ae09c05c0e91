// One org's index as a worker keeps it between questions: arrays in memory, postings in the store's pages,
// what is not folded yet in a small index of its own. Brought up to date from one snapshot before each question.
import { PostingsBuilder } from './builder.ts';
import { type Entry, findInPage, pageOf, readDirectory } from './pages.ts';
import { decodePostings, type PostingsTarget } from './postings.ts';
import { Slots } from './slots.ts';
import { atOnce, type BlockRow, type IndexState, type Stored } from './stored.sql.ts';

interface Block extends BlockRow {
  /** Its first slot. */
  base: number;
}
export interface Run {
  id: number;
  base: number;
  directory: string[];
}

/** Bytes of pages kept, so that a word of the next question costs no row. */
const keptPageBytes = 3_000_000;
/** Terms whose counts are kept: the commonest of the best passages are asked for again and again. */
const keptCounts = 20_000;

export class OrgIndex {
  readonly slots = new Slots();
  blocks: Block[] = [];
  runs: Run[] = [];
  loose = new PostingsBuilder();
  looseBase = 0;
  change = -1;
  /** Grows when slots are not what they were, other than that some were added or are gone. */
  epoch = 0;
  #generation = -1;
  #lastSeq = 0;
  readonly #pages = new Map<string, Uint8Array>();
  #pageBytes = 0;
  readonly #counts = new Map<string, number>();

  /** How many chunks are not folded yet, the dead included. */
  get looseCount(): number {
    return this.loose.slots;
  }

  /** Makes this what the snapshot says. Cheap when nothing changed: one row is read. */
  update(stored: Stored): void {
    const state = stored.state();
    if (
      state.change === this.change &&
      state.generation === this.#generation &&
      state.lastSeq === this.#lastSeq
    )
      return;
    this.#counts.clear();
    try {
      let linkFrom = this.slots.count;
      if (state.generation !== this.#generation) linkFrom = this.#readRuns(stored, state);
      if (this.change >= 0)
        for (const seq of stored.goneSince(this.change)) this.slots.kill(this.slots.find(seq));
      this.#readLoose(stored, state.lastSeq);
      this.slots.link(linkFrom);
    } catch (thrown) {
      // Half of a change is nothing to answer from: the next question reads all of it.
      this.#forget();
      throw thrown;
    }
    this.change = state.change;
    this.#generation = state.generation;
    this.#lastSeq = state.lastSeq;
  }

  #forget(): void {
    this.epoch += 1;
    this.slots.truncate(0);
    this.blocks = [];
    this.runs = [];
    this.loose = new PostingsBuilder();
    this.looseBase = 0;
    this.change = -1;
    this.#generation = -1;
    this.#pages.clear();
    this.#pageBytes = 0;
  }

  /** @returns the first slot that is not what it was */
  #readRuns(stored: Stored, { lastSeq, foldedSeq }: IndexState): number {
    this.epoch += 1;
    const blocks = stored.blocks();
    let same = 0;
    while (same < blocks.length && same < this.blocks.length && blocks[same]?.id === this.blocks[same]?.id)
      same += 1;
    const kept = this.blocks.slice(0, same);
    const last = kept.at(-1);
    const from = last === undefined ? 0 : last.base + last.slots;
    this.slots.truncate(from);
    const folded = blocks.slice(same).reduce((sum, block) => sum + block.slots, 0);
    this.slots.reserve(from + folded + lastSeq - foldedSeq);
    for (const block of blocks.slice(same)) {
      kept.push({ ...block, base: this.slots.count });
      this.slots.addColumns(stored.columns(block.id));
    }
    this.blocks = kept;
    const first = blocks[same];
    // What went before it was folded is in no block; what went since is.
    if (first !== undefined)
      for (const seq of stored.goneBetween(first.firstSeq, blocks.at(-1)?.lastSeq ?? 0))
        this.slots.kill(this.slots.find(seq));
    const known = new Map(this.runs.map((run) => [run.id, run]));
    const bases = new Map(kept.map((block) => [block.firstSeq, block.base]));
    this.runs = stored.runs().map(({ id, firstSeq }) => {
      const base = bases.get(firstSeq);
      if (base === undefined) throw new Error(`Run ${id} begins where no block does.`);
      return { id, base, directory: known.get(id)?.directory ?? readDirectory(stored.directory(id)) };
    });
    const current = new Set(this.runs.map((run) => run.id));
    for (const [key, page] of this.#pages) {
      if (current.has(Number(key.split('/')[0]))) continue;
      this.#pages.delete(key);
      this.#pageBytes -= page.length;
    }
    this.loose = new PostingsBuilder();
    this.looseBase = this.slots.count;
    return from;
  }

  #readLoose(stored: Stored, lastSeq: number): void {
    const { slots } = this;
    let seq = Math.max(this.blocks.at(-1)?.lastSeq ?? 0, slots.seqs.at(slots.count - 1));
    for (;;) {
      const chunks = stored.chunksAfter(seq, lastSeq, atOnce);
      for (const chunk of chunks) {
        const length = this.loose.add(chunk);
        slots.add({
          seq: chunk.seq,
          first: chunk.first,
          headerLength: length.header,
          bodyLength: length.body,
          kind: slots.kinds.of(chunk.kind),
          connection: slots.connections.of(chunk.connection),
          writtenAt: chunk.writtenAt,
          thread: chunk.thread,
        });
        seq = chunk.seq;
      }
      if (chunks.length < atOnce) return;
    }
  }

  #page(stored: Stored, run: number, page: number): Uint8Array {
    const key = `${run}/${page}`;
    let bytes = this.#pages.get(key);
    if (bytes === undefined) {
      bytes = stored.page(run, page);
      this.#pageBytes += bytes.length;
    } else this.#pages.delete(key);
    this.#pages.set(key, bytes);
    for (const [oldest, old] of this.#pages) {
      if (this.#pageBytes <= keptPageBytes || oldest === key) break;
      this.#pages.delete(oldest);
      this.#pageBytes -= old.length;
    }
    return bytes;
  }

  #entry(stored: Stored, run: Run, term: string): Entry | undefined {
    const page = pageOf(run.directory, term);
    return page < 0 ? undefined : findInPage(this.#page(stored, run.id, page), term);
  }

  /** At least as many as living chunks hold the term; exact where nothing has gone. */
  most(stored: Stored, term: string): number {
    const known = this.#counts.get(term);
    if (known !== undefined) return known;
    let count = this.loose.count(term);
    for (const run of this.runs) count += this.#entry(stored, run, term)?.count ?? 0;
    if (this.#counts.size === keptCounts) this.#counts.clear();
    this.#counts.set(term, count);
    return count;
  }

  /** Writes the living postings of a term to `take(most)`, ascending by slot. */
  read(stored: Stored, term: string, take: (most: number) => PostingsTarget): PostingsTarget | undefined {
    const found: { base: number; bytes: Uint8Array }[] = [];
    let most = 0;
    for (const run of this.runs) {
      const entry = this.#entry(stored, run, term);
      if (entry === undefined) continue;
      most += entry.count;
      found.push({ base: run.base, bytes: entry.bytes });
    }
    const list = this.loose.find(term);
    if (list !== undefined) {
      most += list.count;
      found.push({ base: this.looseBase, bytes: list.sink.bytes.subarray(0, list.sink.length) });
    }
    if (most === 0) return undefined;
    const to = take(most);
    for (const { base, bytes } of found) decodePostings(bytes, { base, alive: this.slots.alive, to });
    return to;
  }
}
