// A few words, many small records, and an index that folds after a handful: what the index's tests stand on.

import { createLog } from '../../../src/log.ts';
import { createMemory } from '../../../src/memory/create.ts';
import type { FoldSizes } from '../../../src/memory/index/fold.ts';
import { createPostingsIndex } from '../../../src/memory/index/postings-index.ts';
import type { IndexFilters, IndexHit, SearchIndex } from '../../../src/memory/index/search-index.ts';
import type { Memory, Source } from '../../../src/memory/memory.ts';
import { createReader } from '../../../src/memory/reader.ts';
import type { SourceRecord } from '../../../src/providers/record.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { json, manualClock } from '../ground.ts';

export const small: FoldSizes = { due: 6, most: 9, merged: 3 };
export const never: FoldSizes = { due: 1e9, most: 9, merged: 3 };

export interface World {
  index: SearchIndex;
  memory: Memory;
  close(): Promise<void>;
}

export function world(foldSizes: FoldSizes, clock = manualClock()): World {
  const log = createLog({ level: 'silent' });
  const background = createReader({ clock, log });
  const index = createPostingsIndex({ clock, log, background, foldSizes });
  const memory = createMemory({ clock, log, index });
  return {
    index,
    memory,
    async close() {
      await memory.close();
      await background.close();
    },
  };
}

/** mulberry32. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const vocabulary =
  'roof kitchen garden offer invoice window staircase heating contract balcony elevator parking'.split(' ');

export interface Batch {
  records: SourceRecord[];
  deleted: string[];
}

/** Inserts, changes and deletions, the same for the same seed. */
export function* batches(seed: number, count: number): Generator<Batch> {
  const next = random(seed);
  const word = () => vocabulary[Math.floor(next() ** 2 * vocabulary.length)] ?? '';
  let last = 0;
  for (let i = 0; i < count; i += 1) {
    const records: SourceRecord[] = [];
    for (let n = 0; n < 1 + next() * 6; n += 1) {
      const old = last > 0 && next() < 0.3;
      const number = old ? Math.floor(next() * last) : last++;
      const text = Array.from({ length: 2 + Math.floor(next() * 9) }, word).join(' ');
      const people = [
        { address: `p${Math.floor(next() * 3)}@x.test`, name: `Person ${word()}`, role: 'from' as const },
      ];
      const kind = next() < 0.5 ? 'note' : 'chat';
      const at = next() < 0.8 ? { at: Date.UTC(2026, 0, 1) + Math.floor(next() * 20) * 3_600_000 } : {};
      const thread = next() < 0.6 ? { thread: `t${Math.floor(next() * 4)}` } : {};
      records.push(json(`r${number}`, kind, { title: word(), text, people, ...at, ...thread }));
    }
    const coming = new Set(records.map((record) => record.externalId));
    const deleted: string[] = [];
    if (last > 4 && next() < 0.5) {
      const gone = `r${Math.floor(next() * last)}`;
      if (!coming.has(gone)) deleted.push(gone);
    }
    yield { records, deleted };
  }
}

export interface Asked {
  terms: string[];
  filters: IndexFilters;
}

export const questions: Asked[] = [
  { terms: ['roof'], filters: {} },
  { terms: ['garden', 'offer', 'staircas'], filters: {} },
  { terms: ['park', 'elev', 'contract'], filters: { kinds: ['chat'] } },
  { terms: ['kitchen', 'window'], filters: { addresses: ['p1@x.test'] } },
  { terms: ['roof', 'kitchen'], filters: { threadId: 't2' } },
  { terms: ['roof', 'invoic'], filters: { since: Date.UTC(2026, 0, 1, 5), until: Date.UTC(2026, 0, 1, 15) } },
];

export function ask(index: SearchIndex, org: OrgStore, { terms, filters }: Asked): Promise<IndexHit[]> {
  const query = { text: terms.join(' '), terms, phrases: [], filters, limit: 50, offset: 0, maxSeq: 1e9 };
  return index.search(org, query);
}

/** What all questions give. */
export async function answers(index: SearchIndex, org: OrgStore): Promise<IndexHit[][]> {
  const all: IndexHit[][] = [];
  for (const question of questions) all.push(await ask(index, org, question));
  return all;
}

export async function ingestAll(
  world: World,
  org: OrgStore,
  source: Source,
  all: Iterable<Batch>,
): Promise<void> {
  for (const { records, deleted } of all) {
    await world.memory.ingest(org, source, { records, deleted });
    await world.index.settled();
  }
}
