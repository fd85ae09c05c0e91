// What is kept in memory of each chunk of an org: typed arrays beside one another, an entry a slot, in the
// order of the chunks' numbers. About 45 bytes a chunk.
import type { Columns } from './columns.ts';

const mostLength = 65_535;

export interface SlotFields {
  seq: number;
  first: boolean;
  headerLength: number;
  bodyLength: number;
  kind: number;
  connection: number;
  writtenAt: number;
  thread: number;
}

/** Names that the arrays hold as numbers. */
class Numbered {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(name, number);
    }
    return number;
  }

  known(names: readonly string[]): Set<number> {
    return new Set(names.flatMap((name) => this.#numbers.get(name) ?? []));
  }
}

export class Slots {
  count = 0;
  live = 0;
  /** Sums over the living. */
  headerTerms = 0;
  bodyTerms = 0;
  seqs = new Uint32Array(0);
  alive = new Uint8Array(0);
  headerLength = new Uint16Array(0);
  bodyLength = new Uint16Array(0);
  before = new Int32Array(0);
  after = new Int32Array(0);
  document = new Int32Array(0);
  writtenAt = new Float64Array(0);
  kind = new Uint16Array(0);
  connection = new Uint16Array(0);
  thread = new Float64Array(0);
  readonly kinds = new Numbered();
  readonly connections = new Numbered();

  reserve(count: number): void {
    if (count <= this.seqs.length) return;
    const capacity = Math.max(count, Math.min(this.seqs.length * 2, this.seqs.length + 65_536), 1024);
    const wider = <Kind extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
      old: Kind,
      fresh: Kind,
    ): Kind => {
      fresh.set(old);
      return fresh;
    };
    this.seqs = wider(this.seqs, new Uint32Array(capacity));
    this.alive = wider(this.alive, new Uint8Array(capacity));
    this.headerLength = wider(this.headerLength, new Uint16Array(capacity));
    this.bodyLength = wider(this.bodyLength, new Uint16Array(capacity));
    this.before = wider(this.before, new Int32Array(capacity));
    this.after = wider(this.after, new Int32Array(capacity));
    this.document = wider(this.document, new Int32Array(capacity));
    this.writtenAt = wider(this.writtenAt, new Float64Array(capacity));
    this.kind = wider(this.kind, new Uint16Array(capacity));
    this.connection = wider(this.connection, new Uint16Array(capacity));
    this.thread = wider(this.thread, new Float64Array(capacity));
  }

  add(fields: SlotFields): void {
    const slot = this.count;
    this.reserve(slot + 1);
    this.seqs[slot] = fields.seq;
    this.alive[slot] = 1;
    this.headerLength[slot] = Math.min(fields.headerLength, mostLength);
    this.bodyLength[slot] = Math.min(fields.bodyLength, mostLength);
    this.writtenAt[slot] = fields.writtenAt;
    this.kind[slot] = fields.kind;
    this.connection[slot] = fields.connection;
    this.thread[slot] = fields.thread;
    const begins = fields.first || slot === 0;
    this.document[slot] = begins ? slot : (this.document[slot - 1] ?? slot);
    this.before[slot] = begins ? -1 : slot - 1;
    this.after[slot] = -1;
    if (!begins) this.after[slot - 1] = slot;
    this.count += 1;
    this.live += 1;
    this.headerTerms += this.headerLength[slot] ?? 0;
    this.bodyTerms += this.bodyLength[slot] ?? 0;
  }

  addColumns(columns: Columns): void {
    const kinds = columns.kinds.map((name) => this.kinds.of(name));
    const connections = columns.connections.map((name) => this.connections.of(name));
    this.reserve(this.count + columns.seqs.length);
    for (let i = 0; i < columns.seqs.length; i += 1) {
      this.add({
        seq: columns.seqs[i] ?? 0,
        first: columns.firsts[i] === 1,
        headerLength: columns.headerLength[i] ?? 0,
        bodyLength: columns.bodyLength[i] ?? 0,
        kind: kinds[columns.kind[i] ?? 0] ?? 0,
        connection: connections[columns.connection[i] ?? 0] ?? 0,
        writtenAt: columns.writtenAt[i] ?? 0,
        thread: columns.thread[i] ?? 0,
      });
    }
  }

  /** The slot of a chunk's number; -1 where it is not there. */
  find(seq: number): number {
    const slot = this.upTo(seq - 1);
    return slot < this.count && this.seqs[slot] === seq ? slot : -1;
  }

  /** How many slots hold a number up to `seq`: they are the first ones. */
  upTo(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.seqs[middle] ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The chunk is gone: those beside it stand beside each other. */
  kill(slot: number): void {
    if (slot < 0 || this.alive[slot] !== 1) return;
    this.alive[slot] = 0;
    this.live -= 1;
    this.headerTerms -= this.headerLength[slot] ?? 0;
    this.bodyTerms -= this.bodyLength[slot] ?? 0;
    const before = this.before[slot] ?? -1;
    const after = this.after[slot] ?? -1;
    if (before >= 0) this.after[before] = after;
    if (after >= 0) this.before[after] = before;
    this.before[slot] = -1;
    this.after[slot] = -1;
  }

  /** Forgets the slots from `count` on. */
  truncate(count: number): void {
    for (let slot = count; slot < this.count; slot += 1) this.kill(slot);
    this.count = Math.min(this.count, count);
  }

  /** Puts the documents of each thread that has one at or after slot `from` in their order: by time, then as they came. */
  link(from: number): void {
    if (from >= this.count) return;
    const touched = threadsFrom(this, from);
    if (touched === undefined) return;
    const chains = chainsOf(this, touched);
    for (const head of chains.heads) {
      if (head < 0) continue;
      const documents: number[] = [];
      for (let slot = head; slot >= 0; slot = chains.next[slot] ?? -1) documents.push(slot);
      documents.sort((a, b) => (this.writtenAt[a] ?? 0) - (this.writtenAt[b] ?? 0) || a - b);
      let last = -1;
      for (const first of documents) {
        this.before[first] = last;
        if (last >= 0) this.after[last] = first;
        last = lastOf(this, first);
      }
      if (last >= 0) this.after[last] = -1;
    }
  }
}

function lastOf(slots: Slots, first: number): number {
  let last = first;
  while (last + 1 < slots.count && slots.document[last + 1] === first) last += 1;
  return last;
}

const sieveBits = 16;
const sieveOf = (thread: number): number => thread % (1 << sieveBits);

/** Marks the threads of new documents, so that the others are passed over; undefined where there are none. */
function threadsFrom(slots: Slots, from: number): Uint8Array | undefined {
  const sieve = new Uint8Array(1 << sieveBits);
  let any = false;
  for (let slot = from; slot < slots.count; slot += 1) {
    const thread = slots.thread[slot] ?? 0;
    if (thread === 0 || slots.alive[slot] !== 1) continue;
    sieve[sieveOf(thread)] = 1;
    any = true;
  }
  return any ? sieve : undefined;
}

/** Living documents of the marked threads, a chain a thread: an open hash table of their first slots. */
function chainsOf(slots: Slots, sieve: Uint8Array): { heads: Int32Array; next: Int32Array } {
  const { thread, alive, document, count } = slots;
  const members = new Int32Array(count);
  let found = 0;
  for (let slot = 0; slot < count; slot += 1) {
    if (document[slot] !== slot || alive[slot] !== 1) continue;
    const number = thread[slot] ?? 0;
    if (number !== 0 && sieve[sieveOf(number)] === 1) members[found++] = slot;
  }
  const size = 2 ** Math.ceil(Math.log2(found * 2 + 2));
  const heads = new Int32Array(size).fill(-1);
  const next = new Int32Array(count).fill(-1);
  // From the back, so that each chain is in the order of the slots.
  for (let i = found - 1; i >= 0; i -= 1) {
    const slot = members[i] ?? 0;
    let place = Math.floor((thread[slot] ?? 0) / (1 << sieveBits)) % size;
    while (heads[place] !== -1 && thread[heads[place] ?? 0] !== thread[slot]) place = (place + 1) % size;
    next[slot] = heads[place] ?? -1;
    heads[place] = slot;
  }
  return { heads, next };
}
