// The search worker's work: keeps a few orgs' indexes in memory, and answers one question after another.
import { loadStaticEn, staticEn } from '../embed/static-en.ts';
import { rank } from '../rank/rank.ts';
import { tellLog } from '../worker-side.ts';
import { admit } from './admit.ts';
import { chunksOf, Withheld } from './by-document.sql.ts';
import { collectAll } from './let-go.ts';
import { OrgIndex } from './org-index.ts';
import { type Access, createRowsOpener } from './rows.sql.ts';
import type { IndexHit, IndexQuery } from './search-index.ts';
import { createStored, type Stored } from './stored.sql.ts';
import { createArena, storedCollection } from './stored-collection.ts';
import { createStoredVectors, type StoredVectors } from './stored-vectors.ts';

export interface SearchTask {
  access: Access;
  orgId: string;
  query: IndexQuery;
}
export interface SearchAnswer {
  hits: IndexHit[];
  /** Chunks that are not folded yet. */
  loose: number;
}

/** Orgs whose indexes stay in memory. */
const orgsKept = 8;
/** And the chunks of all of them together, at about 80 bytes each. */
const slotsKept = 1_000_000;

interface Kept {
  index: OrgIndex;
  /** Of the embedder that answers. */
  vectors: StoredVectors & { model: string };
  withheld: Withheld;
}

/** Bytes of an org's signatures that stay in memory, of 125,000 vectors of the built-in embedder; of others, and on PostgreSQL, see decision 48. */
export const signatureBytes = 4_000_000;

/**
 * Of each word the terms that the index holds, or the first where it holds none: a stem of another language, or one
 * of two ways to write an amount, is no word that was asked for and not found.
 */
function termsThere(index: OrgIndex, stored: Stored, { terms, words }: IndexQuery): string[] {
  if (words === undefined) return terms;
  return words.flatMap((word) => {
    const there = word.filter((term) => index.most(stored, term) > 0);
    return there.length > 0 ? there : word.slice(0, 1);
  });
}

/** Slots read in one go, from which on what that leaves in the heap is collected. */
const manySlots = 200_000;

/** A function that answers tasks. `signatureBytes`: what a file's org keeps of its signatures. */
export function createSearcher(bounds = { signatureBytes }): (task: SearchTask) => Promise<SearchAnswer> {
  const vectorsOf = ({ name, dimensions }: { name: string; dimensions: number }, access: Access) => ({
    model: name,
    ...createStoredVectors(name, dimensions, 'file' in access ? bounds : {}),
  });
  const opener = createRowsOpener();
  const orgs = new Map<string, Kept>();
  const arena = createArena();

  function keep(access: Access, orgId: string): Kept {
    // Databases of two stores may hold orgs of one id: a file is one, PostgreSQL is the other.
    const key = 'file' in access ? access.file : orgId;
    const kept = orgs.get(key) ?? {
      index: new OrgIndex(),
      vectors: vectorsOf(staticEn, access),
      withheld: new Withheld(),
    };
    orgs.delete(key);
    orgs.set(key, kept);
    const slots = () => [...orgs.values()].reduce((sum, { index }) => sum + index.slots.count, 0);
    for (const oldest of orgs.keys()) {
      if (oldest === key || (orgs.size <= orgsKept && slots() <= slotsKept)) break;
      orgs.delete(oldest);
    }
    return kept;
  }

  /** Between questions, so that a later one finds its vectors in memory. PostgreSQL is asked by the main thread alone. */
  const ahead = new Set<string>();
  function readAhead(access: Access, orgId: string): void {
    if (!('file' in access) || ahead.has(access.file)) return;
    const { file } = access;
    ahead.add(file);
    const step = () => {
      const kept = orgs.get(file);
      let more = false;
      try {
        more =
          kept !== undefined &&
          opener.within(access, (rows) => kept.vectors.readAhead(kept.index, createStored(rows, orgId)));
      } catch (thrown) {
        // The next question reads what it needs, and says what is wrong.
        tellLog(`vectors were not read ahead: ${thrown instanceof Error ? thrown.message : thrown}`);
      }
      if (more) setImmediate(step);
      else ahead.delete(file);
    };
    setImmediate(step);
  }

  return async ({ access, orgId, query }) => {
    const model = await loadStaticEn();
    return opener.within(access, (rows) => {
      const kept = keep(access, orgId);
      const { index, withheld } = kept;
      const asked = query.vectors;
      const answering = asked === undefined ? staticEn : 'vector' in asked ? asked : undefined;
      // The signatures of one model only: another one answers from the next switch on.
      if (answering !== undefined && kept.vectors.model !== answering.name)
        kept.vectors = vectorsOf(answering, access);
      const stored = createStored(rows, orgId);
      arena.clear();
      const before = index.slots.count;
      index.update(stored);
      if (index.slots.count - before > manySlots) setImmediate(collectAll);
      const { filters, maxSeq, limit, offset } = query;
      const admitted = admit(index, stored, {
        filters,
        maxSeq,
        arena,
        chunksOf: (ids) => chunksOf(rows, orgId, ids),
        withheld: (viewer) => withheld.of(rows, orgId, { viewer, change: index.change }),
      });
      const vectors = answering === undefined ? undefined : kept.vectors.arm(index, stored);
      const collection = storedCollection(index, stored, { arena, vectors });
      const ranked = rank(
        collection,
        {
          terms: termsThere(index, stored, query),
          phrases: query.phrases,
          ...(asked === undefined
            ? {
                embed: (weightOf: (word: string) => number) => model.question(query.text, weightOf),
                contexts: model.contexts,
              }
            : { embed: () => ('vector' in asked ? asked.vector : undefined) }),
        },
        { limit: offset + limit, ...(admitted === undefined ? {} : { admitted }) },
      );
      if (vectors !== undefined) readAhead(access, orgId);
      const hits = ranked
        .slice(offset)
        .map(({ slot, score, parts }) => ({ seq: index.slots.seqs.at(slot), score, parts }));
      return { hits, loose: index.looseCount };
    });
  };
}
