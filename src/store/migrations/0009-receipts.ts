// What was answered, what of it informed which output, and what the org says of itself.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

export const receipts: Migration = {
  number: 9,
  name: 'receipts',

  async org(kit) {
    // An answer of memory: what stood in it, so that an attribution can name nothing else.
    await kit.orgTable('answer_receipts', {
      columns: { id: 'text', tool: 'text', question: 'text', items: 'text', by: 'text', at: 'integer' },
      key: ['id'],
      indexes: [{ columns: ['at'] }],
    });
    await kit.orgTable('outputs', {
      columns: { id: 'text', title: 'text', by: 'text', at: 'integer' },
      key: ['id'],
      indexes: [{ columns: ['at'] }],
    });
    // No foreign key to its target: a source may vanish, and what it informed stays on record.
    await kit.orgTable('source_attribution', {
      columns: {
        id: 'text',
        output_id: 'text',
        section: 'text',
        agent_role: 'text',
        chunk_id: 'text?',
        fact_id: 'text?',
        brain_id: 'text?',
        document_id: 'text?',
        receipt_id: 'text',
        scores: 'text',
        content_hash: 'text',
        verified_at: 'integer',
        used_at: 'integer',
        by: 'text',
      },
      key: ['id'],
      references: [{ columns: ['output_id'], table: 'outputs', to: ['id'] }],
      indexes: [{ columns: ['output_id', 'used_at'] }, { columns: ['document_id'] }],
      check: sql`case when chunk_id is null then 0 else 1 end + case when fact_id is null then 0 else 1 end
        + case when brain_id is null then 0 else 1 end = 1`,
      appendOnly: true,
    });
    // A version a row; the newest one that is not `removed` stands.
    await kit.orgTable('org_brain', {
      columns: {
        id: 'text',
        version: 'integer',
        kind: 'text',
        title: 'text',
        text: 'text',
        removed: 'integer',
        by: 'text',
        at: 'integer',
      },
      key: ['id', 'version'],
    });
  },
};
