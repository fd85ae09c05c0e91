// What connections by OAuth need: their tokens' ages, authorizations under way, registered apps, wrapped data
// keys; and what the door writes down: calls, errors, health, shared limits.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const ofConnection = { columns: ['connection_id'], table: 'connected_sources', to: ['id'] } as const;

export const connections: Migration = {
  number: 3,
  name: 'connections',

  async control(kit) {
    // An authorization under way: the callback names nothing but its state, so it is found before any org is known.
    await kit.controlTable('oauth_states', {
      columns: {
        state_hash: 'text',
        org_id: 'text',
        member_id: 'text',
        browser_hash: 'text',
        provider: 'text',
        request: 'blob',
        key_id: 'text',
        created_at: 'integer',
        expires_at: 'integer',
        spent_at: 'integer?',
      },
      key: ['state_hash'],
      references: [
        {
          columns: ['org_id', 'member_id'],
          table: 'members',
          to: ['org_id', 'id'],
          onDelete: 'cascade',
        },
      ],
      indexes: [{ columns: ['expires_at'] }],
    });
    // A sign-in under way: of whom is not known yet. What it must remember is sealed under the browser's cookie.
    await kit.controlTable('sign_in_states', {
      columns: {
        state_hash: 'text',
        browser_hash: 'text',
        request: 'blob',
        expires_at: 'integer',
        spent_at: 'integer?',
      },
      key: ['state_hash'],
      indexes: [{ columns: ['expires_at'] }],
    });
    // Token buckets and sliding windows of registered apps, which many orgs share.
    await kit.controlTable('app_limits', {
      columns: { name: 'text', state: 'text', updated_at: 'integer' },
      key: ['name'],
    });
    // A person's identity at an issuer of sign-in (OIDC): who they are here.
    await kit.controlTable('identities', {
      columns: {
        issuer: 'text',
        subject: 'text',
        org_id: 'text',
        member_id: 'text',
        created_at: 'integer',
      },
      key: ['issuer', 'subject'],
      references: [
        { columns: ['org_id', 'member_id'], table: 'members', to: ['org_id', 'id'], onDelete: 'cascade' },
      ],
      // One account of an issuer is one member's, and a member has one there.
      indexes: [{ columns: ['org_id', 'member_id', 'issuer'], unique: true }],
    });
  },

  async org(kit) {
    // What a person let agents do with the account: 'read' where nothing may be proposed; null: as before, all.
    await kit.tx.schema.alterTable('connected_sources').addColumn('access', 'text').execute();
    await kit.orgTable('oauth_tokens', {
      columns: {
        connection_id: 'text',
        version: 'integer',
        access_expires_at: 'integer?',
        refresh_expires_at: 'integer?',
        scopes: 'text',
        obtained_at: 'integer',
        refreshed_at: 'integer?',
      },
      key: ['connection_id'],
      references: [{ ...ofConnection, onDelete: 'cascade' }],
      indexes: [{ columns: ['access_expires_at'] }],
    });
    await kit.orgTable('provider_apps', {
      columns: {
        app: 'text',
        client_id: 'text',
        sealed: 'blob?',
        key_id: 'text?',
        updated_at: 'integer',
      },
      key: ['app'],
    });
    // Data keys, each wrapped by a master key; one is current, retired ones go when nothing is sealed under them.
    await kit.orgTable('data_keys', {
      columns: {
        id: 'text',
        wrapped: 'blob',
        master_key_id: 'text',
        created_at: 'integer',
        retired_at: 'integer?',
      },
      key: ['id'],
      indexes: [{ columns: [], unique: true, where: sql`retired_at is null` }],
    });
    // Settings of the org that people change: its plan, for one.
    await kit.orgTable('org_settings', {
      columns: { name: 'text', value: 'text', updated_at: 'integer' },
      key: ['name'],
    });
    await kit.orgTable('mcp_call_logs', {
      columns: {
        id: 'text',
        connection_id: 'text?',
        provider: 'text',
        operation: 'text',
        cause: 'text',
        method: 'text',
        host: 'text',
        outcome: 'text',
        attempts: 'integer',
        ms: 'integer',
        at: 'integer',
      },
      key: ['id'],
      indexes: [{ columns: ['at'] }, { columns: ['connection_id', 'at'] }],
    });
    await kit.orgTable('integration_errors', {
      columns: {
        id: 'text',
        connection_id: 'text?',
        provider: 'text',
        operation: 'text',
        code: 'text',
        message: 'text',
        at: 'integer',
      },
      key: ['id'],
      indexes: [{ columns: ['at'] }, { columns: ['connection_id', 'at'] }],
    });
    await kit.orgTable('health_checks', {
      columns: { connection_id: 'text', outcome: 'text', ms: 'integer', at: 'integer' },
      key: ['connection_id'],
      references: [{ ...ofConnection, onDelete: 'cascade' }],
    });
    // Token buckets and sliding windows that all processes share: of a connection, and of the org's plan.
    await kit.orgTable('rate_limits', {
      columns: { name: 'text', state: 'text', updated_at: 'integer' },
      key: ['name'],
    });
  },
};
