// The neighbours of a chunk: the one before and the one after, in its document or its thread. They are a
// field of their own, and follow when a message comes between, changes or goes.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../store/tables.ts';
import type { Written, WrittenChunk } from './document-rows.ts';
import { type Adjacent, adjacentTo, type Place } from './index/neighbours.sql.ts';
import type { SearchIndex } from './index/search-index.ts';
import type { Known } from './known-rows.ts';

type Tx = Transaction<OrgTables>;

const rowsAtOnce = 50;

interface Linked {
  seq: number;
  header: string;
  body: string;
  before: string;
  after: string;
  /** The row to insert; undefined where the chunk is there already. */
  fresh: { documentId: string; ordinal: number; chunk: WrittenChunk } | undefined;
}

export interface Threader {
  /** Indexes what was written, and mends what stood beside it or beside what left its place. */
  link(changes: { written: readonly Written[]; left: readonly Known[] }): Promise<void>;
}

function placeOf(document: { id: string; threadId: string | null; writtenAt: number | null }): Place[] {
  const { id, threadId, writtenAt } = document;
  return threadId === null ? [] : [{ id, threadId, writtenAt }];
}

/** Chunks of documents that were there before, with the neighbours they have. */
async function chunksOf(
  tx: Tx,
  orgId: string,
  documentIds: readonly string[],
): Promise<Map<string, Linked[]>> {
  const found = new Map<string, Linked[]>();
  if (documentIds.length === 0) return found;
  const rows = await tx
    .selectFrom('chunks')
    .select(['document_id', 'seq', 'header', 'body', 'neighbours'])
    .where('org_id', '=', orgId)
    .where('document_id', 'in', [...documentIds])
    .orderBy('document_id')
    .orderBy('ordinal')
    .execute();
  for (const row of rows) {
    const [before = '', after = ''] = row.neighbours.split('\n');
    const chunk = {
      seq: Number(row.seq),
      header: row.header,
      body: row.body,
      before,
      after,
      fresh: undefined,
    };
    const known = found.get(row.document_id);
    if (known === undefined) found.set(row.document_id, [chunk]);
    else known.push(chunk);
  }
  return found;
}

export function createThreader(tx: Tx, orgId: string, index: SearchIndex): Threader {
  async function save(chunks: readonly Linked[]): Promise<void> {
    const known = chunks.filter((chunk) => chunk.fresh === undefined);
    if (known.length > 0) {
      await index.remove(
        tx,
        orgId,
        known.map((chunk) => chunk.seq),
      );
    }
    for (const { seq, before, after } of known) {
      await tx
        .updateTable('chunks')
        .set({ neighbours: `${before}\n${after}` })
        .where('org_id', '=', orgId)
        .where('seq', '=', seq)
        .execute();
    }
    const rows = chunks.flatMap(({ fresh, before, after }) => {
      if (fresh === undefined) return [];
      const { documentId, ordinal, chunk } = fresh;
      return [
        {
          org_id: orgId,
          id: `${documentId}.${ordinal}`,
          document_id: documentId,
          ordinal,
          start_at: chunk.start,
          end_at: chunk.end,
          seq: chunk.seq,
          header: chunk.header,
          body: chunk.body,
          neighbours: `${before}\n${after}`,
          content_hash: chunk.contentHash,
        },
      ];
    });
    for (let i = 0; i < rows.length; i += rowsAtOnce) {
      await tx
        .insertInto('chunks')
        .values(rows.slice(i, i + rowsAtOnce))
        .execute();
    }
    await index.add(
      tx,
      orgId,
      chunks.map(({ seq, header, body, before, after }) => ({
        seq,
        header,
        body,
        neighbours: `${before}\n${after}`,
      })),
    );
  }

  return {
    async link({ written, left }) {
      const chunks = new Map<string, Linked[]>();
      const touched = new Set<Linked>();
      for (const document of written) {
        const own = document.chunks.map((chunk, ordinal): Linked => {
          const { seq, header, body } = chunk;
          return {
            seq,
            header,
            body,
            before: '',
            after: '',
            fresh: { documentId: document.id, ordinal, chunk },
          };
        });
        own.forEach((chunk, i) => {
          chunk.before = own[i - 1]?.body ?? '';
          chunk.after = own[i + 1]?.body ?? '';
          touched.add(chunk);
        });
        chunks.set(document.id, own);
      }
      // Places that were left first, so that what now stands between has the last word.
      const leftPlaces = left.filter((one) => one.deletedAt === null).flatMap(placeOf);
      const newPlaces = written.flatMap(placeOf);
      const beside = await adjacentTo(tx, orgId, [...leftPlaces, ...newPlaces]);
      const others = new Set(beside.flatMap(({ before, after }) => [before, after]));
      const old = [...others].filter((id): id is string => id !== undefined && !chunks.has(id));
      for (const [id, known] of await chunksOf(tx, orgId, old)) chunks.set(id, known);

      const join = (before: string | undefined, after: string | undefined) => {
        const last = before === undefined ? undefined : chunks.get(before)?.at(-1);
        const first = after === undefined ? undefined : chunks.get(after)?.[0];
        if (last !== undefined && last.after !== (first?.body ?? '')) {
          last.after = first?.body ?? '';
          touched.add(last);
        }
        if (first !== undefined && first.before !== (last?.body ?? '')) {
          first.before = last?.body ?? '';
          touched.add(first);
        }
      };
      beside.forEach((sides: Adjacent, i) => {
        const place = newPlaces[i - leftPlaces.length];
        if (place === undefined) join(sides.before, sides.after);
        else {
          join(sides.before, place.id);
          join(place.id, sides.after);
        }
      });
      await save([...touched]);
    },
  };
}
