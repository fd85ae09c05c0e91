// One bounded step of embedding what is stored: the next chunks of one org, their vectors and how far it has come in
// one transaction. Killed anywhere, the next step begins where the last one was written.
import { DrawbridgeError } from '../../errors.ts';
import { type Lease, requireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { textOf } from '../documents/packed.ts';
import { quantise } from '../index/signatures.ts';
import type { Embedder } from './embedder.ts';
import type { Db, EmbedderRow } from './embedder-rows.ts';
import { piecesOf } from './pieces.ts';

/** Chunks of a step; a call has as many texts as its model takes. */
const chunksAtOnce = 64;

interface ToEmbed {
  seq: number;
  pieces: string[];
}

async function nextChunks(db: Db, orgId: string, after: number, tokens: number): Promise<ToEmbed[]> {
  const rows = await db
    .selectFrom('chunks')
    .select(['seq', 'document_id', 'start_at', 'end_at'])
    .where('org_id', '=', orgId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(chunksAtOnce)
    .execute();
  if (rows.length === 0) return [];
  const documents = await db
    .selectFrom('source_documents')
    .select(['id', 'title', 'text', 'text_packed'])
    .where('org_id', '=', orgId)
    .where('id', 'in', [...new Set(rows.map((row) => row.document_id))])
    .execute();
  const byId = new Map(documents.map(({ id, title, ...row }) => [id, { title, text: textOf(row) }] as const));
  return rows.map((row) => {
    const document = byId.get(row.document_id);
    const text = document?.text.slice(Number(row.start_at), Number(row.end_at)) ?? '';
    return { seq: Number(row.seq), pieces: piecesOf(document?.title ?? '', text, tokens) };
  });
}

/** What the model gives for each text; undefined where it refuses that one alone. */
async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<(Float32Array | undefined)[]> {
  const { dimensions, limits } = embedder;
  const most = limits?.texts ?? texts.length;
  const found: (Float32Array | undefined)[] = [];
  const ask = async (some: readonly string[]): Promise<(Float32Array | undefined)[]> => {
    try {
      const vectors = await embedder.embed(some, 'passage', signal);
      return some.map((_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions));
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'invalid_request') throw thrown;
      if (thrown.retry === 'ask') throw thrown;
      if (some.length === 1) {
        refusal = thrown;
        return [undefined];
      }
      const half = Math.ceil(some.length / 2);
      return [...(await ask(some.slice(0, half))), ...(await ask(some.slice(half)))];
    }
  };
  let refusal: DrawbridgeError | undefined;
  for (let i = 0; i < texts.length; i += most) found.push(...(await ask(texts.slice(i, i + most))));
  // A model that takes no text at all is at fault itself, not the texts.
  if (refusal !== undefined && found.every((vector) => vector === undefined)) throw refusal;
  return found;
}

function packed(vectors: readonly (Float32Array | undefined)[], dimensions: number): Uint8Array {
  const rows = vectors.filter((vector) => vector?.some((value) => value !== 0));
  const bytes = new Uint8Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    if (row !== undefined) bytes.set(new Uint8Array(quantise(row).buffer), i * dimensions);
  });
  return bytes;
}

/**
 * Embeds the next chunks after `row.doneSeq`.
 * @returns whether there were any
 * @throws DrawbridgeError of the embedder; `conflict` when the lease was lost
 */
export async function embedNext(
  { org, lease, signal }: { org: OrgStore; lease: Lease; signal: AbortSignal },
  row: EmbedderRow,
  embedder: Embedder,
): Promise<boolean> {
  const { orgId } = org;
  const { name, dimensions } = row;
  const chunks = await org.read((db) => nextChunks(db, orgId, row.doneSeq, embedder.limits?.tokens ?? 512));
  const last = chunks.at(-1);
  if (last === undefined) return false;
  // Texts of one org only: they came out of its own database a line above.
  const answered = await embedAll(
    embedder,
    chunks.flatMap((chunk) => chunk.pieces),
    signal,
  );
  let at = 0;
  let refused = 0;
  const vectors = chunks.flatMap(({ seq, pieces }) => {
    const own = answered.slice(at, at + pieces.length);
    at += pieces.length;
    const vector = packed(own, dimensions);
    if (own.length > 0 && own.every((one) => one === undefined)) refused += 1;
    return vector.length === 0 ? [] : [{ org_id: orgId, model: name, seq, vector }];
  });
  await org.write(async (tx) => {
    await requireLease(org, tx, lease);
    const seqs = vectors.map(({ seq }) => seq);
    const there =
      seqs.length === 0
        ? []
        : await tx
            .selectFrom('chunks')
            .select('seq')
            .where('org_id', '=', orgId)
            .where('seq', 'in', seqs)
            .execute();
    const living = new Set(there.map((chunk) => Number(chunk.seq)));
    const rows = vectors.filter(({ seq }) => living.has(seq));
    if (rows.length > 0)
      await tx
        .insertInto('chunk_vectors')
        .values(rows)
        .onConflict((known) => known.columns(['org_id', 'seq', 'model']).doNothing())
        .execute();
    const now = await org.now();
    await tx
      .updateTable('embedders')
      .set((columns) => ({
        done_seq: last.seq,
        embedded: columns('embedded', '+', chunks.length - refused),
        refused: columns('refused', '+', refused),
        change: columns('change', '+', 1),
        tries: 0,
        error: null,
        retry_at: 0,
        updated_at: now,
      }))
      .where('org_id', '=', orgId)
      .where('name', '=', name)
      .where('done_seq', '=', row.doneSeq)
      .execute();
  });
  return true;
}
