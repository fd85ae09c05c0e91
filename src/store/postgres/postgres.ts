// The store on PostgreSQL: all orgs in one schema, kept apart by row-level security under a role that owns
// nothing. Each transaction names its org; one that names none sees no row.
import { randomInt } from 'node:crypto';
import { Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { createHandle, type Engine } from '../handle.ts';
import { migrate } from '../migrate.ts';
import { migrations as shipped } from '../migrations/list.ts';
import type { Migration } from '../migrations/migration.ts';
import { removeEmptyOrg } from '../remove-org.ts';
import type { Handle, OrgStore, Store } from '../store.ts';
import type { ControlTables, OrgTables } from '../tables.ts';
import { type Place, postgresDialect, schema, sqlState } from './driver.ts';
import { prepare } from './prepare.ts';
import type { PostgresSource } from './source.ts';

const attempts = 5;

interface Ground {
  source: PostgresSource;
  clock: Clock;
  log: Log;
  migrations?: readonly Migration[];
}

export async function openPostgres({ source, clock, log, migrations = shipped }: Ground): Promise<Store> {
  const owner = new Kysely<unknown>({ dialect: postgresDialect(source, 'migration') });
  const locked = (work: (tx: Transaction<unknown>) => Promise<void>) => owner.transaction().execute(work);
  try {
    await locked(prepare);
    await migrate(
      {
        dialect: 'postgres',
        parts: ['control', 'org'],
        name: `The database's schema "${schema}"`,
        locked,
        now: () => clock.now(),
      },
      migrations,
    );
  } catch (thrown) {
    await source.end();
    throw thrown;
  }
  const handleAt = <Tables>(place: Place): Handle<Tables> =>
    createHandle(engineAt<Tables>(place, { source, clock, log }));
  const control = handleAt<ControlTables>('control');

  return Object.freeze<Store>({
    dialect: 'postgres',
    control,
    async forOrg(orgId): Promise<OrgStore> {
      const row = await control.read((db) =>
        db.selectFrom('orgs').select('id').where('id', '=', orgId).executeTakeFirst(),
      );
      if (row === undefined) throw new DrawbridgeError('not_found', 'There is no such org.');
      return Object.freeze({
        ...handleAt<OrgTables>({ orgId }),
        orgId,
        dialect: 'postgres' as const,
        file: undefined,
      });
    },
    async createOrg(name): Promise<string> {
      const at = clock.now();
      const id = newId('org', at);
      await control.write((tx) => tx.insertInto('orgs').values({ id, name, created_at: at }).execute());
      return id;
    },
    async removeOrg(orgId): Promise<void> {
      await control.write((tx) => removeEmptyOrg(tx, orgId));
    },
    close: () => source.end(),
  });
}

function engineAt<Tables>(place: Place, { source, clock, log }: Ground): Engine<Tables> {
  const db = new Kysely<Tables>({ dialect: postgresDialect(source, place) });
  return {
    async run(mode, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await db
            .transaction()
            .setAccessMode(mode === 'read' ? 'read only' : 'read write')
            .execute(work);
        } catch (thrown) {
          // 40001 serialization_failure, 40P01 deadlock_detected: rolled back, and asked to come again.
          const again = ['40001', '40P01'].includes(sqlState(thrown) ?? '');
          if (!again || attempt === attempts) throw thrown;
          log.debug({ attempt, err: thrown }, 'the database asked for the transaction again');
          await clock.sleep(randomInt(1, 20 * attempt));
        }
      }
    },
    async now(tx) {
      if (source.inProcess) return clock.now();
      const ask = (on: Kysely<Tables>) =>
        sql<{
          now: number;
        }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(on);
      const { rows } = await (tx === undefined
        ? db.transaction().setAccessMode('read only').execute(ask)
        : ask(tx));
      const row = rows[0];
      if (row === undefined)
        throw new DrawbridgeError('internal', 'The database did not say what time it is.');
      return row.now;
    },
  };
}
