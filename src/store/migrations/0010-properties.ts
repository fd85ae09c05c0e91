// One row a home instead of one a listing: where it was met, what each source said that it costs, and which
// documents speak of it. What was there stays: every listing begins as a home of its own, and is joined to others
// when memory next reads it (`reading` 0).
import { sql } from 'kysely';
import type { Reference } from './kit.ts';
import type { Migration } from './migration.ts';

const within = (column: string, table: string): Reference => ({
  columns: [column],
  table,
  to: ['id'],
  onDelete: 'cascade',
});

export const properties: Migration = {
  number: 10,
  name: 'properties',

  async org(kit) {
    const guarded = ['external_properties', 'property_price_history', 'property_sightings'] as const;
    // The owner moves rows of all orgs, which the guard would hide from it.
    const guard = async (names: readonly string[], force: boolean) => {
      if (kit.dialect !== 'postgres') return;
      for (const name of names) {
        const verb = sql.raw(force ? 'force' : 'no force');
        await sql`alter table ${sql.table(name)} ${verb} row level security`.execute(kit.tx);
      }
    };
    await guard(guarded.slice(0, 2), false);
    await sql`create table former_properties as select * from external_properties`.execute(kit.tx);
    await sql`create table former_prices as select * from property_price_history`.execute(kit.tx);
    await sql`drop table property_price_history`.execute(kit.tx);
    await sql`drop table external_properties`.execute(kit.tx);

    await kit.orgTable('external_properties', {
      columns: {
        id: 'text',
        address: 'text',
        address_key: 'text',
        city: 'text?',
        region: 'text?',
        postal_code: 'text?',
        status: 'text?',
        home_type: 'text?',
        price: 'real?',
        currency: 'text?',
        beds: 'real?',
        baths: 'real?',
        area_sqft: 'real?',
        first_seen_at: 'integer',
        fetched_at: 'integer',
      },
      key: ['id'],
      indexes: [{ columns: ['address_key'] }, { columns: ['status', 'price'] }],
    });
    await kit.orgTable('property_sightings', {
      columns: {
        id: 'text',
        property_id: 'text',
        connection_id: 'text',
        provider: 'text',
        external_id: 'text',
        document_id: 'text?',
        said: 'integer',
        url: 'text?',
        address_key: 'text',
        line_key: 'text?',
        parcel: 'text?',
        mls_number: 'text?',
        facts: 'text',
        joined_by: 'text',
        joined_why: 'text',
        reading: 'integer',
        first_seen_at: 'integer',
        fetched_at: 'integer',
        detailed_at: 'integer?',
      },
      key: ['id'],
      references: [
        within('property_id', 'external_properties'),
        { columns: ['connection_id'], table: 'connected_sources', to: ['id'] },
      ],
      indexes: [
        { columns: ['connection_id', 'external_id'], unique: true },
        { columns: ['property_id'] },
        { columns: ['external_id'] },
        { columns: ['document_id'] },
        { columns: ['url'] },
        { columns: ['line_key'] },
        { columns: ['address_key'] },
        { columns: ['parcel'] },
        { columns: ['mls_number'] },
        { columns: ['reading'] },
      ],
    });
    await kit.orgTable('property_price_history', {
      columns: {
        id: 'text',
        sighting_id: 'text',
        event: 'text',
        price: 'real',
        currency: 'text?',
        at: 'integer',
        seen_at: 'integer',
      },
      key: ['id'],
      references: [within('sighting_id', 'property_sightings')],
      indexes: [{ columns: ['sighting_id', 'at', 'event', 'price'], unique: true }],
    });
    await kit.orgTable('property_documents', {
      columns: {
        document_id: 'text',
        address_key: 'text',
        line_key: 'text',
        property_id: 'text?',
        words: 'text',
        start_at: 'integer',
        end_at: 'integer',
      },
      key: ['document_id', 'address_key'],
      references: [within('document_id', 'source_documents')],
      indexes: [{ columns: ['property_id', 'document_id'] }, { columns: ['line_key'] }],
    });

    await guard(guarded, false);
    await sql`insert into external_properties (org_id, id, address, address_key, city, region, postal_code, status,
        home_type, price, currency, beds, baths, area_sqft, first_seen_at, fetched_at)
      select org_id, id, address, address_key, city, region, postal_code, status,
        home_type, price, currency, beds, baths, area_sqft, first_seen_at, fetched_at
      from former_properties`.execute(kit.tx);
    await sql`insert into property_sightings (org_id, id, property_id, connection_id, provider, external_id,
        document_id, said, url, address_key, line_key, parcel, mls_number, facts, joined_by, joined_why, reading,
        first_seen_at, fetched_at, detailed_at)
      select org_id, replace(id, 'prp_', 'psg_'), id, connection_id, provider, external_id,
        null, 0, url, address_key, null, null, null, facts, 'new', '', 0,
        first_seen_at, fetched_at, detailed_at
      from former_properties`.execute(kit.tx);
    await sql`insert into property_price_history (org_id, id, sighting_id, event, price, currency, at, seen_at)
      select org_id, id, replace(property_id, 'prp_', 'psg_'), event, price, currency, at, seen_at
      from former_prices`.execute(kit.tx);
    await guard(guarded, true);
    await sql`drop table former_prices`.execute(kit.tx);
    await sql`drop table former_properties`.execute(kit.tx);
  },
};
