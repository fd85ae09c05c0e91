// What is known of clients, each fact with where it stands; and which of them are one, with who said so.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

export const clients: Migration = {
  number: 8,
  name: 'clients',

  async org(kit) {
    // A client that was joined to another keeps all that is its own, so that they can be parted again.
    await kit.tx.schema
      .alterTable('client_intelligence')
      .addColumn('merged_into', kit.dialect === 'postgres' ? sql`text collate "C"` : 'text')
      .execute();
    await sql`create index client_intelligence_by_merged_into on client_intelligence (org_id, merged_into)
      where merged_into is not null`.execute(kit.tx);
    // Whose fact it is can become known later than the fact: until then `subject` says whom it is about.
    await kit.orgTable('client_facts', {
      columns: {
        id: 'text',
        client_id: 'text?',
        subject: 'text',
        document_id: 'text?',
        family: 'text',
        name: 'text',
        slot: 'text',
        value: 'text',
        data: 'text',
        start_at: 'integer?',
        end_at: 'integer?',
        confidence: 'real',
        origin: 'text',
        by: 'text?',
        valid_from: 'integer',
        valid_until: 'integer?',
        removed: 'integer',
        recorded_at: 'integer',
        content_hash: 'text',
      },
      key: ['id'],
      references: [{ columns: ['client_id'], table: 'client_intelligence', to: ['id'], onDelete: 'cascade' }],
      indexes: [{ columns: ['client_id', 'slot'] }, { columns: ['document_id'] }, { columns: ['subject'] }],
    });
    await kit.orgTable('client_merges', {
      columns: {
        id: 'text',
        kind: 'text',
        state: 'text',
        client_id: 'text',
        other_id: 'text',
        pair: 'text',
        rule: 'text',
        score: 'real',
        evidence: 'text',
        keys: 'text',
        document_id: 'text?',
        proposed_at: 'integer',
        decided_at: 'integer?',
        decided_by: 'text?',
      },
      key: ['id'],
      references: [
        { columns: ['client_id'], table: 'client_intelligence', to: ['id'], onDelete: 'cascade' },
        { columns: ['other_id'], table: 'client_intelligence', to: ['id'], onDelete: 'cascade' },
      ],
      indexes: [
        { columns: ['pair'] },
        { columns: ['state', 'score'] },
        { columns: ['client_id'] },
        { columns: ['other_id'] },
        { columns: ['document_id'] },
      ],
      check: sql`kind in ('merge', 'split') and state in ('proposed', 'accepted', 'rejected', 'undone')`,
    });
  },
};
