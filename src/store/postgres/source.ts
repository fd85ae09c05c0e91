// Where PostgreSQL connections come from: a pool of `pg`, or what a test hands in; and what comes out of
// them, in the types that SQLite gives.
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import type { Bound } from '../codec.ts';

export interface PostgresClient {
  /** `affected`: rows that an insert, update or delete touched. */
  query(
    sql: string,
    parameters: readonly Bound[],
  ): Promise<{ rows: unknown[]; affected: number | undefined }>;
  /** Gives the connection back; `broken`: it must not be used again. */
  release(broken: boolean): void;
}

export interface PostgresSource {
  /** A connection of the caller's own until it is released. */
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  /** The database runs inside this process (PGlite): its time is the process's clock. */
  inProcess: boolean;
}

/** Result parsers by type (pg_type's oid): int8 and numeric as numbers, bool as 0 or 1, bytea as Uint8Array. */
export const resultParsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => (text === 't' ? 1 : 0),
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')),
  20: wholeNumber,
  1700: Number,
};

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new DrawbridgeError('internal', `The database holds ${text}, too large for a number.`);
  }
  return value;
}

const connections = 10;

/** A pool on `url`. Nothing is connected yet. */
export async function poolOf(url: Secret, log: Log): Promise<PostgresSource> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url.reveal(),
    max: connections,
    connectionTimeoutMillis: 10_000,
    application_name: 'drawbridge',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        (format !== 'binary' && resultParsers[oid]) || pg.types.getTypeParser(oid, format),
    },
  });
  // An idle connection that the server closes is replaced; unheard, the event would end the process.
  pool.on('error', (err) => log.warn({ err }, 'an idle database connection was lost'));
  return {
    inProcess: false,
    async connect() {
      const client = await pool.connect();
      // Lost between two statements: the next statement fails and says so.
      const lost = (err: Error) => log.warn({ err }, 'a database connection was lost');
      client.on('error', lost);
      return {
        async query(sql, parameters) {
          const { rows, rowCount, command } = await client.query(sql, [...parameters]);
          return { rows, affected: command === 'SELECT' ? undefined : (rowCount ?? undefined) };
        },
        release(broken) {
          client.off('error', lost);
          client.release(broken);
        },
      };
    },
    end: () => pool.end(),
  };
}
