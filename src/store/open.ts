// Opens the database that the configuration names. Nothing of a database is loaded before this is called.
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { PostgresSource } from './postgres/source.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  config: Pick<Config, 'home' | 'databaseUrl'>;
  clock: Clock;
  log: Log;
  /** Connections to use instead of `databaseUrl`'s: tests hand in PGlite. */
  postgres?: PostgresSource;
}

/**
 * Opens the store and brings its schema up to date.
 * @throws DrawbridgeError `conflict` when a newer Drawbridge wrote the database, `internal` when it cannot be
 * reached or may not be prepared; the message says what to do.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { config, clock, log, postgres } = options;
  if (postgres !== undefined) {
    const { openPostgres } = await import('./postgres/postgres.ts');
    return openPostgres({ source: postgres, clock, log });
  }
  if (config.databaseUrl !== undefined) {
    const { poolOf } = await import('./postgres/source.ts');
    return openStore({ ...options, postgres: await poolOf(config.databaseUrl, log) });
  }
  const { openEmbedded } = await import('./sqlite/embedded.ts');
  return openEmbedded({ home: config.home, clock, log });
}
