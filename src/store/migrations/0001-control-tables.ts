// The first control tables: orgs, and who may come in.
import type { Kit, Reference } from './kit.ts';

const ofMember: Reference = {
  columns: ['org_id', 'member_id'],
  table: 'members',
  to: ['org_id', 'id'],
  onDelete: 'cascade',
};
const ofOrg: Reference = { columns: ['org_id'], table: 'orgs', to: ['id'], onDelete: 'cascade' };

export async function controlTables(kit: Kit): Promise<void> {
  await kit.orgsTable();
  await kit.controlTable('members', {
    columns: {
      org_id: 'text',
      id: 'text',
      email: 'text?',
      name: 'text',
      role: 'text',
      created_at: 'integer',
    },
    key: ['org_id', 'id'],
    references: [ofOrg],
    indexes: [{ columns: ['org_id', 'email'], unique: true }],
  });
  await kit.controlTable('api_keys', {
    columns: {
      org_id: 'text',
      id: 'text',
      name: 'text',
      hash: 'text',
      scopes: 'text',
      created_at: 'integer',
      last_used_at: 'integer?',
      revoked_at: 'integer?',
    },
    key: ['org_id', 'id'],
    references: [ofOrg],
    // A key is all that a caller shows: it is found by its hash before any org is known.
    indexes: [{ columns: ['hash'], unique: true }],
  });
  await kit.controlTable('sign_in_links', {
    columns: {
      token_hash: 'text',
      org_id: 'text',
      member_id: 'text',
      created_at: 'integer',
      expires_at: 'integer',
      spent_at: 'integer?',
    },
    key: ['token_hash'],
    references: [ofMember],
    indexes: [{ columns: ['expires_at'] }],
  });
  await kit.controlTable('sessions', {
    columns: {
      token_hash: 'text',
      org_id: 'text',
      member_id: 'text',
      csrf: 'text',
      created_at: 'integer',
      expires_at: 'integer',
    },
    key: ['token_hash'],
    references: [ofMember],
    indexes: [{ columns: ['expires_at'] }],
  });
  await kit.controlTable('processes', {
    columns: {
      id: 'text',
      pid: 'integer',
      kind: 'text',
      url: 'text?',
      started_at: 'integer',
      heartbeat_at: 'integer',
    },
    key: ['id'],
  });
}
