// Embedders that an org chose beside the built-in one, how far each has come, and which one answers.
import type { Migration } from './migration.ts';

export const embedders: Migration = {
  number: 12,
  name: 'embedders',

  async org(kit) {
    await kit.orgTable('embedders', {
      columns: {
        name: 'text',
        settings: 'text',
        sealed: 'blob?',
        key_id: 'text?',
        dimensions: 'integer',
        state: 'text',
        done_seq: 'integer',
        embedded: 'integer',
        refused: 'integer',
        change: 'integer',
        tries: 'integer',
        error: 'text?',
        retry_at: 'integer',
        created_at: 'integer',
        updated_at: 'integer',
        switched_at: 'integer?',
      },
      key: ['name'],
    });
  },
};
