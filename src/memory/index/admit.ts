// Whom and what a question may look at, as one mark a slot: its filters, and what its viewer may see.
import type { Viewer } from '../../viewer.ts';
import { addressTerm, threadTerm } from './builder.ts';
import type { OrgIndex } from './org-index.ts';
import type { IndexFilters } from './search-index.ts';
import { type Stored, threadNumber } from './stored.sql.ts';
import type { Arena } from './stored-collection.ts';

/** 1 by slot where a chunk may be answered; undefined where all may. */
export function admit(
  index: OrgIndex,
  stored: Stored,
  {
    filters,
    maxSeq,
    arena,
    chunksOf,
    withheld,
  }: {
    filters: IndexFilters;
    maxSeq: number;
    arena: Arena;
    /** Numbers of these documents' chunks. */
    chunksOf(documentIds: readonly string[]): number[];
    /** Numbers of chunks that the viewer may not see. */
    withheld(viewer: Viewer): Uint32Array;
  },
): Uint8Array | undefined {
  const { slots } = index;
  const end = slots.seqs.upTo(maxSeq);
  if (Object.keys(filters).length === 0 && end === slots.count) return undefined;
  const admitted = new Uint8Array(slots.count);
  admitted.set(slots.alive.subarray(0, end));

  const keep = (passes: (slot: number) => boolean) => {
    for (let slot = 0; slot < end; slot += 1) if (admitted[slot] === 1 && !passes(slot)) admitted[slot] = 0;
  };
  const keepHolders = (terms: readonly string[]) => {
    const holding = new Uint8Array(slots.count);
    for (const term of terms) {
      const found = index.read(stored, term, (most) => arena.take(most));
      for (let i = 0; i < (found?.length ?? 0); i += 1) holding[found?.slots[i] ?? 0] = 1;
    }
    keep((slot) => holding[slot] === 1);
  };

  const { kinds, connectionIds, since, until, threadId, addresses, documentIds, viewer } = filters;
  if (documentIds !== undefined) {
    const named = new Uint8Array(slots.count);
    for (const seq of chunksOf(documentIds)) {
      const slot = slots.find(seq);
      if (slot >= 0) named[slot] = 1;
    }
    keep((slot) => named[slot] === 1);
  }
  if (viewer !== undefined) {
    const kindsHidden = slots.kinds.known(viewer.hidden.kinds);
    const connectionsHidden = slots.connections.known(viewer.hidden.connections);
    keep(
      (slot) =>
        !kindsHidden.has(slots.kind[slot] ?? 0) && !connectionsHidden.has(slots.connection[slot] ?? 0),
    );
    for (const seq of withheld(viewer)) {
      const slot = slots.find(seq);
      if (slot >= 0) admitted[slot] = 0;
    }
  }
  if (threadId !== undefined) keepHolders([threadTerm(threadNumber(threadId))]);
  if (addresses !== undefined) keepHolders(addresses.map(addressTerm));
  if (kinds !== undefined) {
    const wanted = slots.kinds.known(kinds);
    keep((slot) => wanted.has(slots.kind[slot] ?? 0));
  }
  if (connectionIds !== undefined) {
    const wanted = slots.connections.known(connectionIds);
    keep((slot) => wanted.has(slots.connection[slot] ?? 0));
  }
  // 0 is unknown: such a record is neither before nor after anything.
  if (since !== undefined)
    keep((slot) => slots.writtenAt.at(slot) !== 0 && slots.writtenAt.at(slot) >= since);
  if (until !== undefined) keep((slot) => slots.writtenAt.at(slot) !== 0 && slots.writtenAt.at(slot) < until);
  return admitted;
}
