// The vectors of an org's chunks of one embedder: signatures in memory, the vectors themselves read where they
// are needed.
import type { VectorArm } from '../rank/collection.ts';
import type { OrgIndex } from './org-index.ts';
import { cosineWith, Signatures } from './signatures.ts';
import type { Stored } from './stored.sql.ts';

/** Signatures that pass the first look; the best of them are told apart exactly. */
const lookedAt = 600;

export interface StoredVectors {
  /** Brings the signatures up to what `index` is; undefined where no chunk has a vector. */
  arm(index: OrgIndex, stored: Stored): VectorArm | undefined;
}

export function createStoredVectors(model: string, dimensions: number): StoredVectors {
  const signatures = new Signatures(dimensions);
  let blocks: number[] = [];
  /** The slot up to which they are read. */
  let upTo = 0;
  let epoch = -1;

  function update(index: OrgIndex, stored: Stored): void {
    const { slots } = index;
    if (epoch === index.epoch && upTo === slots.count) return;
    if (epoch !== index.epoch) {
      let same = 0;
      while (same < blocks.length && blocks[same] === index.blocks[same]?.id) same += 1;
      const next = index.blocks[same];
      const from = next === undefined ? index.looseBase : next.base;
      signatures.truncate(from);
      upTo = from;
      for (const block of index.blocks.slice(same)) {
        const bits = stored.signatures(model, block.id);
        if (bits !== undefined) signatures.append(bits, block.base);
        upTo = block.base + block.slots;
      }
      blocks = index.blocks.map((block) => block.id);
      epoch = index.epoch;
    }
    if (upTo === slots.count) return;
    const first = slots.seqs[upTo] ?? 0;
    const last = slots.seqs[slots.count - 1] ?? 0;
    for (const { seq, vector } of stored.vectorsBetween(model, first, last)) {
      const slot = slots.find(seq);
      if (slot >= 0) signatures.add({ place: slot, vectors: vector });
    }
    upTo = slots.count;
  }

  return {
    arm(index, stored) {
      update(index, stored);
      if (signatures.count === 0) return undefined;
      const { slots } = index;
      // One question asks for the same chunks more than once.
      let last: Float32Array | undefined;
      const known = new Map<number, number>();
      const cosines = (query: Float32Array, asked: readonly number[]): Float32Array => {
        if (query !== last) known.clear();
        last = query;
        const seqs = asked.filter((slot) => !known.has(slot)).map((slot) => slots.seqs[slot] ?? 0);
        const found = stored.vectors(model, seqs);
        return Float32Array.from(asked, (slot) => {
          const before = known.get(slot);
          if (before !== undefined) return before;
          const vectors = found.get(slots.seqs[slot] ?? 0);
          const cosine = vectors === undefined ? 0 : cosineWith(query, vectors);
          known.set(slot, cosine);
          return cosine;
        });
      };
      return {
        cosines,
        nearest(query, count, admitted) {
          const near = signatures.nearest(query, Math.max(count, lookedAt), admitted ?? slots.alive);
          const exact = cosines(query, near);
          return near
            .map((slot, i) => ({ slot, cosine: exact[i] ?? 0 }))
            .filter(({ slot }) => slots.alive[slot] === 1)
            .sort((a, b) => b.cosine - a.cosine || a.slot - b.slot)
            .slice(0, count);
        },
      };
    },
  };
}
