// A thin Kysely driver over node:sqlite. A write takes the lock when it begins (IMMEDIATE) and waits for it
// without blocking the event loop; a read is one snapshot on a connection that cannot write.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { explain, whenFree } from './busy.ts';
import { toBound } from './codec.ts';
import { createQueueLock } from './queue-lock.ts';

const cachedStatements = 256;
const walLimitBytes = 64 * 1024 * 1024;

export type Mode = 'read' | 'write';

/** Opens one connection; `write` also makes the file a WAL database. The file must exist. */
export async function connect(file: string, mode: Mode, clock: Clock): Promise<DatabaseSync> {
  const db = new DatabaseSync(file, {
    readOnly: mode === 'read',
    timeout: 0,
    enableForeignKeyConstraints: true,
  });
  try {
    if (mode === 'write') {
      await whenFree(clock, () => db.exec('pragma journal_mode = wal'));
      // FULL: a commit is on the disk before the caller hears of it; the queue's promises stand on it.
      db.exec(`pragma synchronous = full; pragma journal_size_limit = ${walLimitBytes}`);
    }
    db.exec('pragma temp_store = memory; pragma cache_size = -16000');
    return db;
  } catch (thrown) {
    db.close();
    throw explain(thrown, file);
  }
}

/** One connection of node:sqlite as Kysely sees it; statements are prepared once. */
class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
  }

  get db(): DatabaseSync {
    return this.#db;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    // A full disk makes SQLite roll back by itself; what follows must not run outside a transaction.
    if (!this.#db.isTransaction) {
      throw new DrawbridgeError(
        'internal',
        'The transaction is over: an earlier statement failed, or it was not awaited.',
      );
    }
    const parameters = query.parameters.map(toBound);
    try {
      const { statement, returnsRows } = this.#prepare(query.sql);
      if (returnsRows) {
        // The rows' shape is what the query builder's types say of the statement that it compiled.
        return { rows: statement.all(...parameters) as Row[] };
      }
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid), rows: [] };
    } catch (thrown) {
      throw explain(thrown, this.#file);
    }
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator, and there is nothing to yield
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new DrawbridgeError('internal', 'Streaming is not offered: read in pages.');
  }

  #prepare(sql: string): { statement: StatementSync; returnsRows: boolean } {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      const statement = this.#db.prepare(sql);
      prepared = { statement, returnsRows: statement.columns().length > 0 };
    } else {
      this.#statements.delete(sql);
    }
    this.#statements.set(sql, prepared);
    if (this.#statements.size > cachedStatements) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    return prepared;
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #mode: Mode;
  readonly #clock: Clock;
  readonly #file: string;
  readonly #turns = createQueueLock();
  #passTurn: (() => void) | undefined;

  constructor(db: DatabaseSync, mode: Mode, file: string, clock: Clock) {
    this.#connection = new SqliteConnection(db, file);
    this.#mode = mode;
    this.#clock = clock;
    this.#file = file;
  }

  async init(): Promise<void> {
    // The connection is open already.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#passTurn = await this.#turns.take();
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    const { db } = this.#connection;
    try {
      if (this.#mode === 'write') await whenFree(this.#clock, () => db.exec('begin immediate'));
      // A deferred transaction has no snapshot until it reads.
      else {
        await whenFree(this.#clock, () => {
          if (!db.isTransaction) db.exec('begin');
          db.exec('select 1 from sqlite_schema limit 1');
        });
      }
    } catch (thrown) {
      if (db.isTransaction) db.exec('rollback');
      throw explain(thrown, this.#file);
    }
  }

  async commitTransaction(): Promise<void> {
    const { db } = this.#connection;
    if (!db.isTransaction) {
      throw new DrawbridgeError(
        'internal',
        'Nothing was written: an earlier statement ended the transaction.',
      );
    }
    try {
      await whenFree(this.#clock, () => db.exec('commit'));
    } catch (thrown) {
      throw explain(thrown, this.#file);
    }
  }

  async rollbackTransaction(): Promise<void> {
    const { db } = this.#connection;
    if (db.isTransaction) db.exec('rollback');
  }

  async releaseConnection(): Promise<void> {
    const passTurn = this.#passTurn;
    this.#passTurn = undefined;
    passTurn?.();
  }

  async destroy(): Promise<void> {
    const passTurn = await this.#turns.take();
    if (this.#connection.db.isOpen) this.#connection.db.close();
    passTurn();
  }
}

class Adapter extends SqliteAdapter {
  // The driver queues by itself; Kysely's own mutex would only hide who waits.
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** A Kysely dialect over one open connection, on which transactions follow one another. */
export function sqliteDialect(db: DatabaseSync, mode: Mode, file: string, clock: Clock): Dialect {
  return {
    createDriver: () => new SqliteDriver(db, mode, file, clock),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new Adapter(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  };
}
