// API keys that act for a member; and, on PostgreSQL, due syncs that the database itself asks for.
import { addDueSyncs } from './0014-due-syncs.ts';
import type { Migration } from './migration.ts';

export const membersKeys: Migration = {
  number: 14,
  name: 'members-keys',

  async control(kit) {
    // No reference: SQLite adds none of two columns. A key whose member is gone opens nothing.
    await kit.tx.schema.alterTable('api_keys').addColumn('member_id', 'text').execute();
  },

  org: addDueSyncs,
};
