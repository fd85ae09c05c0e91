// The index on SQLite: rows written through the org's own transaction, questions asked in a worker thread
// on a read-only connection, so that ranking never holds up the event loop.
import { sql, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { OrgTables } from '../../store/tables.ts';
import { createWorkerPool, WorkerLost } from '../worker-pool.ts';
import type { IndexHit, IndexQuery, IndexRow, SearchIndex } from './search-index.ts';

const timeoutMs = 30_000;
/** Rows a statement: one text of SQL for full batches, so that it stays prepared. */
const rowsAtOnce = 32;

export interface SearchTask {
  file: string;
  orgId: string;
  query: IndexQuery;
}

async function insert(tx: Transaction<OrgTables>, rows: readonly IndexRow[]): Promise<void> {
  const values = sql.join(
    rows.map((row) => sql`(${row.seq}, ${row.header}, ${row.body}, ${row.neighbours})`),
  );
  await sql`insert into search (rowid, header, body, neighbours) values ${values}`.execute(tx);
}

export function createFts5Index({ clock, log }: { clock: Clock; log: Log }): SearchIndex {
  const pool = createWorkerPool<SearchTask, IndexHit[]>({
    entry: 'search-worker',
    size: 1,
    timeoutMs,
    clock,
    log,
  });
  return {
    async add(tx, _orgId, rows) {
      for (let i = 0; i < rows.length; i += rowsAtOnce) await insert(tx, rows.slice(i, i + rowsAtOnce));
    },
    async remove(tx, _orgId, seqs) {
      for (let i = 0; i < seqs.length; i += 500) {
        await sql`delete from search where rowid in (${sql.join(seqs.slice(i, i + 500))})`.execute(tx);
      }
    },
    async search(org, query) {
      if (org.file === undefined) throw new DrawbridgeError('internal', 'This org has no database file.');
      const task: SearchTask = { file: org.file, orgId: org.orgId, query };
      try {
        return await pool.run(task);
      } catch (thrown) {
        if (!(thrown instanceof WorkerLost)) throw thrown;
        throw new DrawbridgeError('timeout', 'The search was given up; ask again, or narrow the question.', {
          retry: 'later',
          cause: thrown,
        });
      }
    },
    close: () => pool.close(),
  };
}
