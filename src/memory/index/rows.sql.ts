// How a worker reads the store at once, without waiting in between: its own read-only connection on SQLite;
// on PostgreSQL the main thread asks for it, while this thread stands still.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { CompiledQuery, type Kysely } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';

export type Value = string | number | Uint8Array | null;
export type Row = Record<string, Value>;

/** One snapshot of the store. */
export interface Rows {
  readonly dialect: OrgStore['dialect'];
  /** `text`: a ? for each of `values`; understood by both databases. */
  all(text: string, values: readonly (string | number)[]): Row[];
}

/** How a task's worker gets at its org's rows. */
export type Access = { file: string } | { port: MessagePort; signal: SharedArrayBuffer };

const openFiles = 8;
/** Pages of SQLite's own cache. The system's cache holds the file, and counts as nobody's memory. */
const cacheKilobytes = 2_000;
const longestWaitMs = 30_000;

interface OpenFile {
  db: DatabaseSync;
  statements: Map<string, StatementSync>;
}

export interface RowsOpener {
  /** Runs `work` on one snapshot. */
  within<Result>(access: Access, work: (rows: Rows) => Result): Result;
}

export function createRowsOpener(): RowsOpener {
  const files = new Map<string, OpenFile>();

  function open(path: string): OpenFile {
    let file = files.get(path);
    files.delete(path);
    if (file === undefined) {
      // Blocking for a moment is what this thread is for.
      const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
      db.exec(`pragma cache_size = -${cacheKilobytes}; pragma temp_store = memory`);
      file = { db, statements: new Map() };
    }
    files.set(path, file);
    for (const [oldest, opened] of files) {
      if (files.size <= openFiles) break;
      opened.db.close();
      files.delete(oldest);
    }
    return file;
  }

  return {
    within(access, work) {
      // One snapshot for the whole task: the main thread began it, and ends it with the port.
      if ('port' in access) return work(rowsThrough(access.port, access.signal));
      const file = open(access.file);
      file.db.exec('begin');
      try {
        return work(rowsOf(file));
      } finally {
        file.db.exec('rollback');
      }
    },
  };
}

function rowsOf({ db, statements }: OpenFile): Rows {
  return {
    dialect: 'sqlite',
    all(text, values) {
      let statement = statements.get(text);
      if (statement === undefined) {
        if (statements.size > 64) statements.clear();
        statement = db.prepare(text);
        statements.set(text, statement);
      }
      // The statements of this room select nothing wider than a number that JavaScript holds.
      return statement.all(...values) as Row[];
    },
  };
}

interface Asked {
  text: string;
  values: readonly (string | number)[];
}
type Told = { rows: Row[] } | { error: string };

function rowsThrough(port: MessagePort, signal: SharedArrayBuffer): Rows {
  const flag = new Int32Array(signal);
  return {
    dialect: 'postgres',
    all(text, values) {
      port.postMessage({ text, values } satisfies Asked);
      // Woken too early by the answer before, whose mark was seen before its call came: wait on.
      while (Atomics.load(flag, 0) === 0) {
        if (Atomics.wait(flag, 0, 0, longestWaitMs) === 'timed-out')
          throw new Error('The database is silent.');
      }
      Atomics.store(flag, 0, 0);
      const told = receiveMessageOnPort(port)?.message as Told | undefined;
      if (told === undefined) throw new Error('The database did not answer.');
      if ('error' in told) throw new Error(told.error);
      return told.rows;
    },
  };
}

/** The main thread's end: answers what the worker asks on `port`, in the snapshot of `db`, until the port closes. */
export function answerRows(db: Kysely<OrgTables>, port: MessagePort, signal: SharedArrayBuffer): void {
  const flag = new Int32Array(signal);
  port.on('message', async ({ text, values }: Asked) => {
    let told: Told;
    try {
      let place = 0;
      const numbered = text.replace(/\?/g, () => `$${++place}`);
      const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(numbered, [...values]));
      told = { rows };
    } catch (thrown) {
      told = { error: String(thrown) };
    }
    port.postMessage(told);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
}
