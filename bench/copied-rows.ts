// An org's mails several times over, under new names: a large org out of a smaller one, in a tenth of the time that
// it takes to let all of them in. The copies are loose, and still to be folded.
import { DatabaseSync } from 'node:sqlite';

/** By table: which rows are the org's own, and what the columns of a copy's row hold that are not as they were. */
const tables = (copy: number, last: number) => [
  {
    table: 'source_documents',
    own: "id not like '%-%'",
    other: {
      id: `id || '-${copy}'`,
      external_id: `external_id || '-${copy}'`,
      thread_id: `thread_id || '-${copy}'`,
    },
  },
  {
    table: 'document_people',
    own: "document_id not like '%-%'",
    other: { document_id: `document_id || '-${copy}'` },
  },
  {
    table: 'chunks',
    own: `seq <= ${last}`,
    other: {
      id: `document_id || '-${copy}.' || ordinal`,
      document_id: `document_id || '-${copy}'`,
      seq: `seq + ${copy * last}`,
    },
  },
  { table: 'built_in_vectors', own: `seq <= ${last}`, other: { seq: `seq + ${copy * last}` } },
];

/** Makes the mails of `file`, an org's own database that nobody has open, `times` as many. */
export function copyRows(file: string, times: number): void {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  db.exec('pragma synchronous = off; pragma cache_size = -200000');
  const last = Number(db.prepare('select last_seq from search_state').get()?.['last_seq']);
  for (let copy = 1; copy < times; copy += 1) {
    db.exec('begin');
    for (const { table, own, other } of tables(copy, last)) {
      const columns = db.prepare('select name from pragma_table_info(?)').all(table);
      const names = columns.map(({ name }) => String(name));
      const values = names.map((name) => Object.entries(other).find(([key]) => key === name)?.[1] ?? name);
      db.exec(`insert into ${table} (${names.join()}) select ${values.join()} from ${table} where ${own}`);
    }
    db.prepare('update search_state set last_seq = ?, change = change + 1').run((copy + 1) * last);
    db.exec('commit');
  }
  db.close();
}
