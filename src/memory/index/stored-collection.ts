// An org's index as ranking sees it, for one question. The arrays are the index's own, the postings lie in
// memory that the next question uses again: nothing of it is to be kept.
import { zstdDecompressSync } from 'node:zlib';
import type { Collection, Postings, VectorArm } from '../rank/collection.ts';
import { within } from './edits.ts';
import type { OrgIndex } from './org-index.ts';
import type { PostingsTarget } from './postings.ts';
import type { Stored } from './stored.sql.ts';

/** Postings that a question may decode before memory is asked for in between. What none has used yet is no memory. */
const room = 600_000;
const mostSimilar = 12;

interface Memory {
  slots: Uint32Array;
  header: Uint8Array;
  body: Uint8Array;
}
const memoryOf = (size: number): Memory => ({
  slots: new Uint32Array(size),
  header: new Uint8Array(size),
  body: new Uint8Array(size),
});

/** Memory for one question after another. */
export interface Arena {
  take(size: number): PostingsTarget;
  clear(): void;
}

export function createArena(): Arena {
  const memory = memoryOf(room);
  let used = 0;
  return {
    take(size) {
      // Beyond the room a question has memory of its own.
      const own = used + size > memory.slots.length;
      const { slots, header, body } = own ? memoryOf(size) : memory;
      const from = own ? 0 : used;
      if (!own) used += size;
      return {
        slots: slots.subarray(from, from + size),
        header: header.subarray(from, from + size),
        body: body.subarray(from, from + size),
        length: 0,
      };
    },
    clear() {
      used = 0;
    },
  };
}

/** Names at most `distance` edits away, in no order. */
function namesLike(index: OrgIndex, stored: Stored, term: string, distance: number): Set<string> {
  const found = new Set<string>();
  const offer = (name: string) => {
    // Whoever mistypes a name has its beginning right: a letter of the first two stands where it should.
    if (Math.abs(name.length - term.length) > distance || name === term) return;
    if (name[0] !== term[0] && name[1] !== term[1] && name[0] !== term[1]) return;
    if (within(term, name, distance)) found.add(name);
  };
  for (const run of index.runs) {
    const names = zstdDecompressSync(stored.names(run.id)).toString();
    for (let at = 0; at < names.length; ) {
      const end = names.indexOf('\n', at);
      const to = end < 0 ? names.length : end;
      if (Math.abs(to - at - term.length) <= distance) offer(names.slice(at, to));
      at = to + 1;
    }
  }
  for (const name of index.loose.names()) offer(name);
  return found;
}

export function storedCollection(
  index: OrgIndex,
  stored: Stored,
  { arena, vectors }: { arena: Arena; vectors: VectorArm | undefined },
): Collection {
  const { slots } = index;
  const count = slots.count;
  const known = new Map<string, Postings | undefined>();

  function postings(term: string): Postings | undefined {
    if (known.has(term)) return known.get(term);
    const read = index.read(stored, term, (most) => arena.take(most));
    const found =
      read === undefined || read.length === 0
        ? undefined
        : {
            slots: read.slots.subarray(0, read.length),
            header: read.header.subarray(0, read.length),
            body: read.body.subarray(0, read.length),
          };
    known.set(term, found);
    return found;
  }

  /** Where nothing has gone, what the runs say is what is there. */
  const frequency = (term: string): number =>
    slots.live === count && !known.has(term) ? index.most(stored, term) : (postings(term)?.slots.length ?? 0);

  return {
    slots: count,
    alive: slots.alive.subarray(0, count),
    live: slots.live,
    headerLength: slots.headerLength.subarray(0, count),
    bodyLength: slots.bodyLength.subarray(0, count),
    meanHeaderLength: slots.live === 0 ? 0 : slots.headerTerms / slots.live,
    meanBodyLength: slots.live === 0 ? 0 : slots.bodyTerms / slots.live,
    before: slots.before.subarray(0, count),
    after: slots.after.subarray(0, count),
    first: slots.first.subarray(0, count),
    writtenAt: (slot) => slots.writtenAt.at(slot),
    postings,
    frequency,
    bodies(asked) {
      const found = stored.bodies(asked.map((slot) => slots.seqs.at(slot)));
      return asked.map((slot) => {
        const terms = (found.get(slots.seqs.at(slot)) ?? '').split(' ');
        return terms.includes('') ? terms.filter((term) => term !== '') : terms;
      });
    },
    similar(term, distance) {
      return [...namesLike(index, stored, term, distance)]
        .map((name) => ({ name, count: frequency(name) }))
        .filter((one) => one.count > 0)
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
        .slice(0, mostSimilar)
        .map((one) => one.name);
    },
    vectors,
  };
}
