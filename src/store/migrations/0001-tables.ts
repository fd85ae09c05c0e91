// The first tables of an org: its connections, its memory, its action queue.
import { sql } from 'kysely';
import { controlTables } from './0001-control-tables.ts';
import type { Reference } from './kit.ts';
import type { Migration } from './migration.ts';

const ofConnection: Reference = { columns: ['connection_id'], table: 'connected_sources', to: ['id'] };

function within(column: string, table: string): Reference {
  return { columns: [column], table, to: ['id'], onDelete: 'cascade' };
}

export const tables: Migration = {
  number: 1,
  name: 'tables',

  control: controlTables,

  async org(kit) {
    // On PostgreSQL the control step has made it, for all.
    if (kit.dialect === 'sqlite') await kit.orgsTable();
    await kit.orgTable('connected_sources', {
      columns: {
        id: 'text',
        provider: 'text',
        account: 'text',
        label: 'text',
        state: 'text',
        fields: 'text',
        mcp_server_url: 'text?',
        last_sync_at: 'integer?',
        last_error: 'text?',
        created_at: 'integer',
        updated_at: 'integer',
      },
      key: ['id'],
      // A disconnected account's row stays, and the account may come again.
      indexes: [{ columns: ['provider', 'account'], unique: true, where: sql`state <> 'DELETED'` }],
    });
    await kit.orgTable('connection_events', {
      columns: {
        id: 'text',
        connection_id: 'text',
        from_state: 'text?',
        to_state: 'text',
        reason: 'text?',
        at: 'integer',
      },
      key: ['id'],
      references: [ofConnection],
      indexes: [{ columns: ['connection_id', 'at'] }],
    });
    await kit.orgTable('secrets', {
      columns: {
        connection_id: 'text',
        field: 'text',
        sealed: 'blob',
        key_id: 'text',
        updated_at: 'integer',
      },
      key: ['connection_id', 'field'],
      references: [{ ...ofConnection, onDelete: 'cascade' }],
    });
    await kit.orgTable('source_documents', {
      columns: {
        id: 'text',
        connection_id: 'text',
        provider: 'text',
        kind: 'text',
        external_id: 'text',
        title: 'text',
        media_type: 'text',
        people: 'text',
        thread_id: 'text?',
        url: 'text?',
        language: 'text?',
        trust: 'text',
        readers: 'text?',
        written_at: 'integer?',
        fetched_at: 'integer',
        verified_at: 'integer',
        content_hash: 'text',
        facts: 'text',
        deleted_at: 'integer?',
        // Last: SQLite reads a row from its front, and what stands behind a long value costs its whole length.
        text: 'text',
        raw: 'blob',
      },
      key: ['id'],
      references: [ofConnection],
      indexes: [
        { columns: ['connection_id', 'external_id'], unique: true },
        { columns: ['connection_id', 'written_at'] },
        { columns: ['kind', 'written_at'] },
        { columns: ['thread_id', 'written_at'] },
      ],
    });
    await kit.orgTable('document_people', {
      columns: { document_id: 'text', address: 'text', name: 'text?', role: 'text' },
      key: ['document_id', 'address', 'role'],
      references: [within('document_id', 'source_documents')],
      indexes: [{ columns: ['address', 'document_id'] }],
    });
    await kit.orgTable('chunks', {
      columns: {
        id: 'text',
        document_id: 'text',
        ordinal: 'integer',
        start_at: 'integer',
        end_at: 'integer',
        seq: 'integer',
        header: 'text',
        body: 'text',
        neighbours: 'text',
        content_hash: 'text',
      },
      key: ['id'],
      references: [within('document_id', 'source_documents')],
      indexes: [
        { columns: ['document_id', 'ordinal'], unique: true },
        { columns: ['seq'], unique: true },
      ],
    });
    await kit.orgTable('client_intelligence', {
      columns: {
        id: 'text',
        kind: 'text',
        name: 'text',
        emails: 'text',
        phones: 'text',
        company: 'text?',
        first_contact_at: 'integer?',
        last_contact_at: 'integer?',
        document_count: 'integer',
        facts: 'text',
        updated_at: 'integer',
      },
      key: ['id'],
      indexes: [{ columns: ['name'] }, { columns: ['last_contact_at'] }],
    });
    await kit.orgTable('external_properties', {
      columns: {
        id: 'text',
        connection_id: 'text',
        provider: 'text',
        external_id: 'text',
        url: 'text?',
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
        latitude: 'real?',
        longitude: 'real?',
        facts: 'text',
        detailed_at: 'integer?',
        first_seen_at: 'integer',
        fetched_at: 'integer',
      },
      key: ['id'],
      references: [ofConnection],
      indexes: [
        { columns: ['connection_id', 'external_id'], unique: true },
        { columns: ['external_id'] },
        { columns: ['url'] },
        { columns: ['address_key'] },
        { columns: ['city', 'price'] },
        { columns: ['price'] },
      ],
    });
    await kit.orgTable('property_price_history', {
      columns: {
        id: 'text',
        property_id: 'text',
        event: 'text',
        price: 'real',
        currency: 'text',
        at: 'integer',
        source: 'text',
        seen_at: 'integer',
      },
      key: ['id'],
      references: [within('property_id', 'external_properties')],
      indexes: [{ columns: ['property_id', 'at', 'event', 'price'], unique: true }],
    });
    await kit.orgTable('action_queue', {
      columns: {
        id: 'text',
        operation: 'text',
        operation_version: 'integer',
        effect: 'text',
        provider: 'text',
        connection_id: 'text',
        account: 'text',
        account_label: 'text',
        payload: 'text',
        payload_hash: 'text',
        effect_key: 'text',
        summary: 'text',
        preview: 'text',
        status: 'text',
        proposed_by: 'text',
        note: 'text?',
        proposed_at: 'integer',
        expires_at: 'integer',
        decided_at: 'integer?',
        decided_by: 'text?',
        decision_channel: 'text?',
        decision_reason: 'text?',
        lease_owner: 'text?',
        lease_until: 'integer?',
        fencing: 'integer',
        sending_at: 'integer?',
        finished_at: 'integer?',
        outcome: 'text?',
        next_look_up_at: 'integer?',
        look_ups: 'integer',
      },
      key: ['id'],
      references: [ofConnection],
      indexes: [
        { columns: ['status', 'proposed_at'] },
        { columns: ['status', 'expires_at'] },
        { columns: ['status', 'next_look_up_at'] },
        { columns: ['payload_hash', 'proposed_at'] },
        { columns: ['effect_key'], unique: true },
      ],
    });
    await kit.orgTable('action_events', {
      columns: {
        action_id: 'text',
        seq: 'integer',
        from_status: 'text?',
        to_status: 'text',
        at: 'integer',
        by: 'text',
        channel: 'text',
        detail: 'text',
      },
      key: ['action_id', 'seq'],
      references: [{ columns: ['action_id'], table: 'action_queue', to: ['id'] }],
    });
    await kit.orgTable('action_attachments', {
      columns: {
        action_id: 'text',
        sha256: 'text',
        name: 'text',
        media_type: 'text',
        size: 'integer',
        bytes: 'blob',
      },
      key: ['action_id', 'sha256', 'name'],
      references: [within('action_id', 'action_queue')],
    });
    await kit.orgTable('ingestion_jobs', {
      columns: {
        id: 'text',
        connection_id: 'text',
        kind: 'text',
        state: 'text',
        source: 'text',
        total: 'integer?',
        seen: 'integer',
        inserted: 'integer',
        updated: 'integer',
        unchanged: 'integer',
        deleted: 'integer',
        rejected: 'integer',
        problems: 'text',
        resume: 'text?',
        started_at: 'integer',
        updated_at: 'integer',
        finished_at: 'integer?',
      },
      key: ['id'],
      references: [ofConnection],
      indexes: [{ columns: ['connection_id', 'started_at'] }, { columns: ['state', 'updated_at'] }],
    });
    await kit.orgTable('sync_cursors', {
      columns: { connection_id: 'text', feed: 'text', cursor: 'text', updated_at: 'integer' },
      key: ['connection_id', 'feed'],
      references: [{ ...ofConnection, onDelete: 'cascade' }],
    });
    await kit.orgTable('leases', {
      columns: { name: 'text', owner: 'text', fencing: 'integer', until: 'integer' },
      key: ['name'],
    });
  },
};
