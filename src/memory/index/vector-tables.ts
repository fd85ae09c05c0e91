// Where the vectors of chunks stand: in an org's own file those of the built-in embedder, which every chunk has, apart.
import type { Insertable, Transaction } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { parts } from '../documents/known-rows.ts';
import { staticEnName } from '../embed/static-en.ts';

type VectorTable = 'built_in_vectors' | 'chunk_vectors';
type Dialect = OrgStore['dialect'];

const rowsAtOnce = 50;

/** All of them. */
export const vectorTables = (dialect: Dialect): VectorTable[] =>
  dialect === 'sqlite' ? ['built_in_vectors', 'chunk_vectors'] : ['chunk_vectors'];

/** The one in which vectors of `model` stand. */
export const vectorTable = (dialect: Dialect, model: string): VectorTable =>
  dialect === 'sqlite' && model === staticEnName ? 'built_in_vectors' : 'chunk_vectors';

/** Of chunks that are there; a vector that is there already stays. */
export async function insertVectors(
  tx: Transaction<OrgTables>,
  { orgId, dialect }: Pick<OrgStore, 'orgId' | 'dialect'>,
  vectors: readonly { model: string; seq: number; vector: Uint8Array }[],
): Promise<void> {
  const builtIn: Insertable<OrgTables['built_in_vectors']>[] = [];
  const others: Insertable<OrgTables['chunk_vectors']>[] = [];
  for (const { model, seq, vector } of vectors) {
    if (vectorTable(dialect, model) === 'built_in_vectors') builtIn.push({ seq, vector });
    else others.push({ org_id: orgId, model, seq, vector });
  }
  for (const some of parts(builtIn, rowsAtOnce)) {
    await tx
      .insertInto('built_in_vectors')
      .values(some)
      .onConflict((known) => known.doNothing())
      .execute();
  }
  for (const some of parts(others, rowsAtOnce)) {
    await tx
      .insertInto('chunk_vectors')
      .values(some)
      .onConflict((known) => known.doNothing())
      .execute();
  }
}
