// What keeps memory up to date by itself: messages with a time-out, when each connection is synced next, and
// deletions that are kept aside until a whole sync, or a person, agrees to them.
import { sql } from 'kysely';
import type { Reference } from './kit.ts';
import type { Migration } from './migration.ts';

const ofConnection: Reference = {
  columns: ['connection_id'],
  table: 'connected_sources',
  to: ['id'],
  onDelete: 'cascade',
};

export const ingestion: Migration = {
  number: 7,
  name: 'ingestion',

  async org(kit) {
    const message = {
      queue: 'text',
      id: 'text',
      read_count: 'integer',
      enqueued_at: 'integer',
      visible_at: 'integer',
      message: 'text',
    } as const;
    await kit.orgTable('messages', {
      columns: message,
      key: ['queue', 'id'],
      indexes: [{ columns: ['queue', 'visible_at'] }],
    });
    await kit.orgTable('archived_messages', {
      columns: { ...message, archived_at: 'integer' },
      key: ['queue', 'id'],
      indexes: [{ columns: ['archived_at'] }],
    });
    await kit.orgTable('sync_schedules', {
      columns: {
        connection_id: 'text',
        every_ms: 'integer?',
        paused: 'integer',
        next_at: 'integer',
        failures: 'integer',
        last_error: 'text?',
        full_wanted: 'integer',
        waiting_since: 'integer?',
        live_before: 'integer?',
        forgotten: 'integer',
        asked_at: 'integer?',
        updated_at: 'integer',
      },
      key: ['connection_id'],
      references: [ofConnection],
      indexes: [{ columns: ['next_at'] }],
    });
    await kit.orgTable('held_deletions', {
      columns: { connection_id: 'text', external_id: 'text', state: 'text', at: 'integer' },
      key: ['connection_id', 'external_id'],
      references: [ofConnection],
      indexes: [{ columns: ['connection_id', 'state'] }],
    });
    await sql`alter table ingestion_jobs add column cause text`.execute(kit.tx);
  },
};
