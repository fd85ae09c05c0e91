// Chunks by their documents: those of some that are named, and those that a viewer may not see because of their
// documents' readers or labels.
import type { Viewer } from '../../viewer.ts';
import { shutBy } from '../documents/readable.sql.ts';
import type { Rows } from './rows.sql.ts';
import { atOnce, marks } from './stored.sql.ts';

const keptViewers = 4;

/** Numbers of these documents' chunks. */
export function chunksOf(rows: Rows, orgId: string, documentIds: readonly string[]): number[] {
  const found: number[] = [];
  for (let i = 0; i < documentIds.length; i += atOnce) {
    const some = documentIds.slice(i, i + atOnce);
    const asked = `select seq from chunks where org_id = ? and document_id in (${marks(some.length)})`;
    for (const row of rows.all(asked, [orgId, ...some])) found.push(Number(row['seq']));
  }
  return found;
}

/** By number. Asked for again when the org's index has changed, or a viewer is another. */
export class Withheld {
  #change = -1;
  readonly #known = new Map<string, Uint32Array>();

  of(rows: Rows, orgId: string, { viewer, change }: { viewer: Viewer; change: number }): Uint32Array {
    if (change !== this.#change) this.#known.clear();
    this.#change = change;
    const shut = shutBy(viewer, 'd');
    const key = JSON.stringify(shut);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = shut.flatMap(({ column, text, values }) =>
      rows.all(
        `select c.seq from source_documents d join chunks c on c.org_id = d.org_id and c.document_id = d.id
        where d.org_id = ? and d.${column} is not null and (${text})`,
        [orgId, ...values],
      ),
    );
    const seqs = Uint32Array.from(found, (row) => Number(row['seq']));
    this.#known.set(key, seqs);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= keptViewers) break;
      this.#known.delete(oldest);
    }
    return seqs;
  }
}
