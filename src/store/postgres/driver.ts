// A thin Kysely driver over a PostgreSQL connection. A transaction begins by taking its place: the role, the
// org, and for a write the lock under which writers of one org follow one another, as on SQLite.
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import { toBound } from '../codec.ts';
import { appRole, orgSetting } from '../migrations/row-security.ts';
import type { PostgresClient, PostgresSource } from './source.ts';

export const schema = 'drawbridge';
// Extensions live in `extensions` on Supabase, in `public` elsewhere.
const searchPath = `${schema}, extensions, public`;
const lockTimeout = '10s';
// A paused process must not hold an org's write lock for good.
const idleTimeout = '60s';

/** Whose transactions these are: an org's, under the role that owns nothing, or the owner's. */
export type Place = { orgId: string } | 'control' | 'migration';

class PostgresConnection implements DatabaseConnection {
  readonly #client: PostgresClient;
  #released = false;
  #failure: unknown;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#released)
      throw new DrawbridgeError('internal', 'The transaction is over: a query was not awaited.');
    try {
      const { rows, affected } = await this.#client.query(query.sql, query.parameters.map(toBound));
      // The rows' shape is what the query builder's types say of the statement that it compiled.
      const result = { rows: rows as Row[] };
      return affected === undefined ? result : { ...result, numAffectedRows: BigInt(affected) };
    } catch (thrown) {
      this.#failure ??= thrown;
      throw explainPostgres(thrown);
    }
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator, and there is nothing to yield
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new DrawbridgeError('internal', 'Streaming is not offered: read in pages.');
  }

  async begin(settings: TransactionSettings, place: Place): Promise<void> {
    this.#failure = undefined;
    const reading = settings.accessMode === 'read only';
    await this.#client.query(reading ? 'begin isolation level repeatable read read only' : 'begin', []);
    try {
      await this.#takePlace(reading, place);
    } catch (thrown) {
      await this.rollback();
      throw explainPostgres(thrown);
    }
  }

  async #takePlace(reading: boolean, place: Place): Promise<void> {
    const settings: [string, string][] = [
      ['search_path', searchPath],
      ['lock_timeout', lockTimeout],
      ['idle_in_transaction_session_timeout', idleTimeout],
    ];
    if (typeof place === 'object') settings.push([orgSetting, place.orgId], ['role', appRole]);
    const parameters = settings.flat();
    const calls = settings.map((_, i) => `set_config($${i * 2 + 1}, $${i * 2 + 2}, true)`);
    await this.#client.query(`select ${calls.join(', ')}`, parameters);
    // A statement of its own, so that what follows sees all that was committed before the lock was ours.
    if (!reading) {
      await this.#client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `drawbridge ${typeof place === 'object' ? place.orgId : place}`,
      ]);
    }
  }

  async commit(): Promise<void> {
    // PostgreSQL answers COMMIT of a failed transaction with a roll-back, and no error.
    if (this.#failure !== undefined) {
      throw new DrawbridgeError(
        'internal',
        'Nothing was written: an earlier statement of the transaction failed.',
        {
          cause: this.#failure,
        },
      );
    }
    await this.#client.query('commit', []);
  }

  async rollback(): Promise<void> {
    try {
      await this.#client.query('rollback', []);
    } catch (thrown) {
      this.release(true);
      throw explainPostgres(thrown);
    }
  }

  release(broken: boolean): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.release(broken);
  }
}

class PostgresDriver implements Driver {
  readonly #source: PostgresSource;
  readonly #place: Place;
  readonly #connections = new WeakMap<DatabaseConnection, PostgresConnection>();

  constructor(source: PostgresSource, place: Place) {
    this.#source = source;
    this.#place = place;
  }

  async init(): Promise<void> {
    // Connections are made as they are asked for.
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    try {
      const connection = new PostgresConnection(await this.#source.connect());
      this.#connections.set(connection, connection);
      return connection;
    } catch (thrown) {
      throw explainPostgres(thrown);
    }
  }

  #own(connection: DatabaseConnection): PostgresConnection {
    const own = this.#connections.get(connection);
    if (own === undefined) throw new DrawbridgeError('internal', 'A connection of another driver.');
    return own;
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await this.#own(connection).begin(settings, this.#place);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#own(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#own(connection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#own(connection).release(false);
  }

  async destroy(): Promise<void> {
    // The source is shared; whoever opened it ends it.
  }
}

/** A Kysely dialect whose transactions all take `place`. */
export function postgresDialect(source: PostgresSource, place: Place): Dialect {
  return {
    createDriver: () => new PostgresDriver(source, place),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  };
}

/** https://www.postgresql.org/docs/15/errcodes-appendix.html */
export function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
]);

/** What a failure means to a person; anything that is a fault of ours stays as it was thrown. */
function explainPostgres(thrown: unknown): unknown {
  const state = sqlState(thrown) ?? '';
  if (state === '55P03') {
    return later(
      'The database has been busy for 10 seconds: another process is writing without a pause. Try again.',
      thrown,
    );
  }
  if (state === '25006') return new DrawbridgeError('internal', 'A read may not write.', { cause: thrown });
  if (state === '53100')
    return later('The disk of the database is full: nothing was written. Make room and try again.', thrown);
  if (state.startsWith('28')) {
    return new DrawbridgeError(
      'internal',
      'The database refused the log-in. Check DRAWBRIDGE_DATABASE_URL.',
      { cause: thrown },
    );
  }
  // Class 08: connection exceptions; 57P01 to 57P03: the server is going down or coming up.
  if (unreachable.has(state) || state.startsWith('08') || /^57P0[123]$/.test(state)) {
    return later('The database cannot be reached. Check that it runs, and DRAWBRIDGE_DATABASE_URL.', thrown);
  }
  return thrown;
}

function later(message: string, cause: unknown): DrawbridgeError {
  return new DrawbridgeError('internal', message, { retry: 'later', cause });
}
