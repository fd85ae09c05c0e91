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
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { toBound } from '../codec.ts';
import { explain, whenFree } from './busy.ts';
import { createQueueLock, type QueueLock } from './queue-lock.ts';
import { takeTurns } from './turn.ts';

const cachedStatements = 256;
const walLimitBytes = 64 * 1024 * 1024;

export type Mode = 'read' | 'write';

/**
 * Pages of SQLite's own cache. A reader finds what it has not in the system's cache, at a few microseconds a page; a
 * writer holds what it changed.
 */
const cacheKilobytes: Record<Mode, number> = { read: 2_000, write: 16_000 };

/** Opens one connection; `write` also makes the file a WAL database. The file must exist. */
export async function connect(file: string, mode: Mode, clock: Clock): Promise<DatabaseSync> {
  const db = new DatabaseSync(file, {
    readOnly: mode === 'read',
    timeout: 0,
    enableForeignKeyConstraints: true,
    defensive: true,
    // Not even raw SQL reaches another org's file from here. (Node releases that lack the option ignore it.)
    limits: { attach: 0 },
  });
  try {
    if (mode === 'write') {
      // Before the first table is made. Measured on mails of 10 kB: 5 % less processor time and commits a third
      // shorter than with the default of 4 kB (bench/import.ts).
      await whenFree(clock, () => db.exec('pragma page_size = 16384; pragma journal_mode = wal'));
      // FULL: a commit is on the disk before the caller hears of it; the queue's promises stand on it.
      db.exec(`pragma synchronous = full; pragma journal_size_limit = ${walLimitBytes}`);
      // What is changed or deleted leaves no bytes on free pages: what a person erases is gone from the file.
      db.exec('pragma secure_delete = on');
    }
    db.exec(`pragma temp_store = memory; pragma cache_size = -${cacheKilobytes[mode]}`);
    return db;
  } catch (thrown) {
    db.close();
    throw explain(thrown, file);
  }
}

/** One connection of node:sqlite as Kysely sees it; statements are prepared once. */
class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  readonly #mode: Mode;
  readonly #file: string;
  readonly #clock: Clock;
  #failure: unknown;
  // Parsed once: each transaction begins and ends with them.
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** Whether a commit waits for the disk: set before a transaction begins, it cannot change within. */
  readonly #setWaiting: { off: StatementSync; on: StatementSync } | undefined;
  #touch: StatementSync | undefined;
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  constructor(db: DatabaseSync, mode: Mode | 'beside', file: string, clock: Clock) {
    this.#db = db;
    this.#mode = mode === 'read' ? 'read' : 'write';
    this.#file = file;
    this.#clock = clock;
    this.#begin = db.prepare(mode === 'read' ? 'begin' : 'begin immediate');
    this.#commit = db.prepare('commit');
    if (mode === 'beside')
      this.#setWaiting = {
        off: db.prepare('pragma synchronous = normal'),
        on: db.prepare('pragma synchronous = full'),
      };
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const turn = takeTurns(this.#clock);
    if (turn !== undefined) await turn;
    this.#checkAlive();
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
      this.#failure ??= thrown;
      throw explain(thrown, this.#file, this.#mode === 'read');
    }
  }

  /** As on PostgreSQL, a failed statement fails its transaction; SQLite itself would carry on. */
  #checkAlive(): void {
    if (this.#failure !== undefined) {
      throw new DrawbridgeError(
        'internal',
        'Nothing was written: an earlier statement of the transaction failed.',
        { cause: this.#failure },
      );
    }
    // What was not awaited comes too late, and must not run outside a transaction.
    if (!this.#db.isTransaction) throw new DrawbridgeError('internal', 'The transaction is over.');
  }

  async begin(): Promise<void> {
    this.#failure = undefined;
    try {
      this.#setWaiting?.off.run();
      await whenFree(this.#clock, () => {
        if (this.#mode === 'write' || !this.#db.isTransaction) this.#begin.run();
        if (this.#mode === 'write') return;
        // A deferred transaction has no snapshot until it reads.
        this.#touch ??= this.#db.prepare('select 1 from sqlite_schema limit 1');
        this.#touch.get();
      });
    } catch (thrown) {
      this.rollback();
      throw explain(thrown, this.#file);
    }
  }

  async commit(): Promise<void> {
    this.#checkAlive();
    try {
      await whenFree(this.#clock, () => this.#commit.run());
    } catch (thrown) {
      throw explain(thrown, this.#file);
    }
  }

  rollback(): void {
    // A full disk makes SQLite roll back by itself.
    if (this.#db.isTransaction) this.#db.exec('rollback');
  }

  /** The transaction is over, however it ended. */
  end(): void {
    if (this.#db.isOpen) this.#setWaiting?.on.run();
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
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
  readonly #turns: QueueLock;
  readonly #afterTurn: AfterTurn;
  #passTurn: (() => void) | undefined;

  constructor(connection: SqliteConnection, turns: QueueLock, afterTurn: AfterTurn) {
    this.#connection = connection;
    this.#turns = turns;
    this.#afterTurn = afterTurn;
  }

  async init(): Promise<void> {
    // The connection is open already.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#passTurn = await this.#turns.take();
    return this.#connection;
  }

  beginTransaction(): Promise<void> {
    return this.#connection.begin();
  }

  commitTransaction(): Promise<void> {
    return this.#connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollback();
  }

  async releaseConnection(): Promise<void> {
    const passTurn = this.#passTurn;
    this.#passTurn = undefined;
    this.#connection.end();
    // Who had the turn need not wait for it: what was written is written.
    const after = this.#afterTurn();
    if (after === undefined) passTurn?.();
    else void after.then(passTurn);
  }

  async destroy(): Promise<void> {
    const passTurn = await this.#turns.take();
    this.#connection.close();
    passTurn();
  }
}

class Adapter extends SqliteAdapter {
  // The driver queues by itself; Kysely's own mutex would only hide who waits.
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** Called at the end of each turn; the next one begins when it resolves. Never rejects. */
type AfterTurn = () => Promise<void> | undefined;

/**
 * A Kysely dialect over one open connection, on which transactions follow one another; where it has two dialects, they
 * share their `turns`. `beside`: its commits do not wait for the disk, which is left to the caller.
 */
export function sqliteDialect(
  db: DatabaseSync,
  mode: Mode | 'beside',
  {
    file,
    clock,
    turns = createQueueLock(),
    afterTurn = () => undefined,
  }: { file: string; clock: Clock; turns?: QueueLock; afterTurn?: AfterTurn },
): Dialect {
  return {
    createDriver: () => new SqliteDriver(new SqliteConnection(db, mode, file, clock), turns, afterTurn),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new Adapter(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  };
}
