// Listings of an older Drawbridge are homes of this one: none is lost, nor a price, and those of one home become one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { createLog } from '../../../src/log.ts';
import { createMemory } from '../../../src/memory/create.ts';
import { migrations } from '../../../src/store/migrations/list.ts';
import type { Migration } from '../../../src/store/migrations/migration.ts';
import { openPostgres } from '../../../src/store/postgres/postgres.ts';
import { resultParsers } from '../../../src/store/postgres/source.ts';
import type { OrgStore, Store } from '../../../src/store/store.ts';
import { sourceOf } from '../../store/databases.ts';
import { openAt } from '../../store/fixtures/place.ts';
import { connectAccount } from '../ground.ts';

const log = createLog({ level: 'silent' });
const former = migrations.filter(({ number }) => number < 10);

const kinds: {
  name: string;
  fresh(): Promise<{ open(list: readonly Migration[]): Promise<Store>; remove(): Promise<void> }>;
}[] = [
  {
    name: 'SQLite',
    async fresh() {
      const home = await mkdtemp(join(tmpdir(), 'drawbridge-homes-'));
      return { open: (list) => openAt({ home }, list), remove: () => rm(home, { recursive: true }) };
    },
  },
  {
    name: 'PGlite',
    async fresh() {
      const db = await PGlite.create({ extensions: { vector }, parsers: { ...resultParsers } });
      const source = sourceOf(db);
      return {
        open: (list) => openPostgres({ source, clock: systemClock, log, migrations: list }),
        remove: () => db.close(),
      };
    },
  },
];

async function putFormer(org: OrgStore, id: string, address: string, price: number): Promise<void> {
  const facts = JSON.stringify({ id: `z-${id}`, address, city: 'Springfield', price, beds: 3 });
  await org.write(async (tx) => {
    await sql`insert into external_properties (org_id, id, connection_id, provider, external_id, address, address_key,
      city, price, currency, facts, detailed_at, first_seen_at, fetched_at, status)
      values (${org.orgId}, ${`prp_${id}`}, 'con_1', 'zillow', ${`z-${id}`}, ${address}, 'as it was keyed then',
      'Springfield', ${price}, 'USD', ${facts}, 5, 1, 5, 'for_sale')`.execute(tx);
    await sql`insert into property_price_history (org_id, id, property_id, event, price, currency, at, source, seen_at)
      values (${org.orgId}, ${`prc_${id}`}, ${`prp_${id}`}, 'Listed', ${price}, 'USD', 3, 'zillow', 4)`.execute(
      tx,
    );
  });
}

test.each(kinds)('on $name', async ({ fresh }) => {
  const place = await fresh();
  try {
    const before = await place.open(former);
    const ids = [await before.createOrg('One'), await before.createOrg('Two')];
    for (const id of ids) {
      const org = await before.forOrg(id);
      await connectAccount(org, 'con_1', 'portal', 1);
      await putFormer(org, 'a', '12 Oak Street', 500_000);
      await putFormer(org, 'b', '12 OAK ST.', 510_000);
      await putFormer(org, 'c', '14 Oak Street', 700_000);
    }
    await before.close();
    const after = await place.open(migrations);
    const memory = createMemory({ clock: systemClock, log });
    try {
      for (const id of ids) {
        const org = await after.forOrg(id);
        const home = await memory.property(org, { id: 'z-a' });
        expect(home?.sightings.map(({ externalId }) => externalId).sort()).toEqual(['z-a', 'z-b']);
        const prices = home?.priceHistory.map(({ at, event, price }) => `${at} ${event} ${price}`);
        expect(prices?.sort()).toEqual(['3 Listed 500000', '3 Listed 510000']);
        expect((await memory.property(org, { address: '14 oak st, springfield' }))?.listing.price).toBe(
          700_000,
        );
      }
    } finally {
      await memory.close();
      await after.close();
    }
  } finally {
    await place.remove();
  }
});
