// Rows of chunks and of their vectors, written with their documents and removed with them.
import type { Insertable, Transaction } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { IndexChange } from '../index/search-index.ts';
import { insertVectors, vectorTables } from '../index/vector-tables.ts';
import type { Written } from './document-rows.ts';
import { idsAtOnce, parts } from './known-rows.ts';

type Tx = Transaction<OrgTables>;
type Org = Pick<OrgStore, 'orgId' | 'dialect'>;

const rowsAtOnce = 50;

export async function insertChunks(
  tx: Tx,
  { orgId, dialect }: Org,
  written: readonly Written[],
): Promise<void> {
  const rows: Insertable<OrgTables['chunks']>[] = [];
  const vectors: { model: string; seq: number; vector: Uint8Array }[] = [];
  for (const { id, chunks } of written) {
    chunks.forEach((chunk, ordinal) => {
      rows.push({
        // An org's own file makes the ids, and of the hash's bytes its hex, by itself.
        ...(dialect === 'postgres'
          ? { org_id: orgId, id: `${id}.${ordinal}`, content_hash: chunk.contentHash }
          : { hash: Buffer.from(chunk.contentHash, 'hex') }),
        document_id: id,
        ordinal,
        start_at: chunk.start,
        end_at: chunk.end,
        seq: chunk.seq,
        header: chunk.header,
        body: chunk.body,
        words: chunk.words ?? null,
      });
      for (const { model, vector } of chunk.vectors ?? []) {
        vectors.push({ model, seq: chunk.seq, vector });
      }
    });
  }
  for (const some of parts(rows, rowsAtOnce)) await tx.insertInto('chunks').values(some).execute();
  await insertVectors(tx, { orgId, dialect }, vectors);
}

/** Takes the chunks of these documents out of memory and out of the index. */
export async function removeChunks(
  tx: Tx,
  { orgId, dialect }: Org,
  change: IndexChange,
  documentIds: readonly string[],
): Promise<void> {
  for (const some of parts(documentIds, idsAtOnce)) {
    const rows = await tx
      .selectFrom('chunks')
      .select('seq')
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .orderBy('seq')
      .execute();
    if (rows.length === 0) continue;
    const seqs = rows.map((row) => Number(row.seq));
    change.gone(seqs);
    for (const few of parts(seqs, idsAtOnce)) {
      for (const table of vectorTables(dialect))
        await tx.deleteFrom(table).where('org_id', '=', orgId).where('seq', 'in', few).execute();
    }
    await tx.deleteFrom('chunks').where('org_id', '=', orgId).where('document_id', 'in', some).execute();
  }
}
