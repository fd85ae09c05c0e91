// Labels that a provider put on a record, so that people can hide what bears one; and the few documents that not
// everybody may read are found without looking at all others.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

export const readers: Migration = {
  number: 11,
  name: 'readers',

  async org(kit) {
    await kit.tx.schema.alterTable('source_documents').addColumn('labels', 'text').execute();
    await sql`create index source_documents_by_readers on source_documents (org_id, id)
      where readers is not null`.execute(kit.tx);
    await sql`create index source_documents_by_labels on source_documents (org_id, id)
      where labels is not null`.execute(kit.tx);
  },
};
