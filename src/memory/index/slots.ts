// What is kept in memory of each chunk of an org: typed arrays beside one another, an entry a slot, in the
// order of the chunks' numbers. About 28 bytes a chunk.
import type { Columns } from './columns.ts';
import { letGo } from './let-go.ts';
import { Seqs } from './seqs.ts';
import { SixBytes } from './six-bytes.ts';

const mostLength = 65_535;
/** Of a thread's number so much is kept: of a million threads, two have the same once in some 250 orgs. */
const threads = 2 ** 47;
/** Room for chunks that are still to come: what is not used of it is no memory yet, and growing needs it all twice. */
const roomAhead = 65_536;

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
  readonly seqs = new Seqs();
  alive = new Uint8Array(0);
  headerLength = new Uint16Array(0);
  bodyLength = new Uint16Array(0);
  before = new Int32Array(0);
  after = new Int32Array(0);
  /** 1 where a document begins. */
  first = new Uint8Array(0);
  readonly writtenAt = new SixBytes();
  kind: Uint8Array | Uint16Array = new Uint8Array(0);
  connection: Uint8Array | Uint16Array = new Uint8Array(0);
  readonly thread = new SixBytes();
  readonly kinds = new Numbered();
  readonly connections = new Numbered();

  reserve(count: number): void {
    if (count <= this.alive.length) return;
    const capacity = count + Math.min(count, roomAhead);
    const wider = <Kind extends Uint8Array | Uint16Array | Int32Array>(old: Kind, fresh: Kind): Kind => {
      fresh.set(old.subarray(0, this.count));
      return fresh;
    };
    this.alive = wider(this.alive, new Uint8Array(capacity));
    this.headerLength = wider(this.headerLength, new Uint16Array(capacity));
    this.bodyLength = wider(this.bodyLength, new Uint16Array(capacity));
    this.before = wider(this.before, new Int32Array(capacity));
    this.after = wider(this.after, new Int32Array(capacity));
    this.first = wider(this.first, new Uint8Array(capacity));
    this.writtenAt.reserve(capacity, this.count);
    this.kind = wider(this.kind, new (this.kind instanceof Uint8Array ? Uint8Array : Uint16Array)(capacity));
    this.connection = wider(
      this.connection,
      new (this.connection instanceof Uint8Array ? Uint8Array : Uint16Array)(capacity),
    );
    this.thread.reserve(capacity, this.count);
  }

  add(fields: SlotFields): void {
    const slot = this.count;
    this.reserve(slot + 1);
    this.seqs.add(fields.seq);
    this.alive[slot] = 1;
    this.headerLength[slot] = Math.min(fields.headerLength, mostLength);
    this.bodyLength[slot] = Math.min(fields.bodyLength, mostLength);
    this.writtenAt.put(slot, fields.writtenAt);
    this.#put('kind', slot, fields.kind);
    this.#put('connection', slot, fields.connection);
    this.thread.put(slot, fields.thread % threads);
    const begins = fields.first || slot === 0;
    this.first[slot] = begins ? 1 : 0;
    this.before[slot] = begins ? -1 : slot - 1;
    this.after[slot] = -1;
    if (!begins) this.after[slot - 1] = slot;
    this.count += 1;
    this.live += 1;
    this.headerTerms += this.headerLength[slot] ?? 0;
    this.bodyTerms += this.bodyLength[slot] ?? 0;
  }

  /** A name's number: a byte for each while they are few. */
  #put(column: 'kind' | 'connection', slot: number, number: number): void {
    if (number > 255 && this[column] instanceof Uint8Array) this[column] = Uint16Array.from(this[column]);
    this[column][slot] = number;
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
    const slot = this.seqs.upTo(seq) - 1;
    return slot >= 0 && this.seqs.at(slot) === seq ? slot : -1;
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
    this.seqs.truncate(this.count);
  }

  /** Puts the documents of each thread that has one at or after slot `from` in their order: by time, then as they came. */
  link(from: number): void {
    if (from >= this.count) return;
    const touched = threadsFrom(this, from);
    if (touched === undefined) return;
    const heads = chainsOf(this, touched);
    for (const head of heads) {
      if (head < 0) continue;
      const documents: number[] = [];
      for (let slot = head; slot >= 0; slot = this.before[slot] ?? -1) documents.push(slot);
      documents.sort((a, b) => this.writtenAt.at(a) - this.writtenAt.at(b) || a - b);
      let last = -1;
      for (const first of documents) {
        this.before[first] = last;
        if (last >= 0) this.after[last] = first;
        last = lastOf(this, first);
      }
      if (last >= 0) this.after[last] = -1;
    }
    letGo(heads);
  }
}

function lastOf(slots: Slots, first: number): number {
  let last = first;
  while (last + 1 < slots.count && slots.first[last + 1] !== 1) last += 1;
  return last;
}

const sieveBits = 16;
const sieveOf = (thread: number): number => thread % (1 << sieveBits);

/** Marks the threads of new documents, so that the others are passed over; undefined where there are none. */
function threadsFrom(slots: Slots, from: number): Uint8Array | undefined {
  const sieve = new Uint8Array(1 << sieveBits);
  let any = false;
  for (let slot = from; slot < slots.count; slot += 1) {
    const thread = slots.thread.at(slot);
    if (thread === 0 || slots.alive[slot] !== 1) continue;
    sieve[sieveOf(thread)] = 1;
    any = true;
  }
  return any ? sieve : undefined;
}

/**
 * Living documents of the marked threads, a chain a thread: an open hash table of their first slots, -1 for none. The
 * next of a chain stands as the slot before, which is reckoned anew for all of them: at a million chunks an array less.
 */
function chainsOf(slots: Slots, sieve: Uint8Array): Int32Array {
  const { thread, before, count } = slots;
  const isMember = (slot: number): boolean => {
    if (slots.first[slot] !== 1 || slots.alive[slot] !== 1) return false;
    const number = thread.at(slot);
    return number !== 0 && sieve[sieveOf(number)] === 1;
  };
  let members = 0;
  for (let slot = 0; slot < count; slot += 1) if (isMember(slot)) members += 1;
  const size = Math.ceil(members * 1.5) + 1;
  const heads = new Int32Array(size).fill(-1);
  // From the back, so that each chain is in the order of the slots.
  for (let slot = count - 1; slot >= 0; slot -= 1) {
    if (!isMember(slot)) continue;
    let place = Math.floor(thread.at(slot) / (1 << sieveBits)) % size;
    while (heads[place] !== -1 && thread.at(heads[place] ?? 0) !== thread.at(slot))
      place = (place + 1) % size;
    before[slot] = heads[place] ?? -1;
    heads[place] = slot;
  }
  return heads;
}
