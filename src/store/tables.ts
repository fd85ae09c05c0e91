// The stored tables, one interface a table, the same on SQLite and PostgreSQL. Times are integer
// milliseconds, JSON is text (store/codec.ts), a flag is 0 or 1. Every key begins with org_id.

import type { Generated } from 'kysely';
import type { ClientTables } from './tables/clients.ts';
import type { JsonText, Millis } from './tables/columns.ts';
import type { IngestionTables } from './tables/ingestion.ts';
import type { MemoryTables } from './tables/memory.ts';
import type { PropertyTables } from './tables/properties.ts';
import type { QueueTables } from './tables/queue.ts';
import type { SearchTables } from './tables/search.ts';

interface OrgsTable {
  id: string;
  name: string;
  created_at: Millis;
}

/** Control tables: who may come in. Embedded they are a file of their own. */
export interface ControlTables {
  orgs: OrgsTable;
  members: {
    org_id: string;
    id: string;
    email: string | null;
    name: string;
    role: 'owner' | 'member';
    created_at: Millis;
  };
  /**
   * `hash`: SHA-256 of the key, hex. `scopes`: JSON array of `read`, `propose`. `member_id`: for whom it acts, who
   * need not be there any more; null: for nobody in particular.
   */
  api_keys: {
    org_id: string;
    id: string;
    name: string;
    hash: string;
    scopes: JsonText;
    created_at: Millis;
    last_used_at: Millis | null;
    revoked_at: Millis | null;
    member_id: string | null;
  };
  /** One-time sign-in links; only the hash of the token is kept. */
  sign_in_links: {
    token_hash: string;
    org_id: string;
    member_id: string;
    created_at: Millis;
    expires_at: Millis;
    spent_at: Millis | null;
  };
  sessions: {
    token_hash: string;
    org_id: string;
    member_id: string;
    csrf: string;
    created_at: Millis;
    expires_at: Millis;
  };
  /** Live Drawbridge processes: `stdio` and `http` servers with a heartbeat; a stale row is a dead process. */
  processes: {
    id: string;
    pid: number;
    kind: 'stdio' | 'http';
    url: string | null;
    started_at: Millis;
    heartbeat_at: Millis;
  };
  /**
   * An authorization under way, spent once. `request`: sealed JSON (PKCE verifier, nonce, fields, redirect URI);
   * `browser_hash`: of the cookie that the same browser must bring back.
   */
  oauth_states: {
    state_hash: string;
    org_id: string;
    member_id: string;
    browser_hash: string;
    provider: string;
    request: Uint8Array;
    key_id: string;
    created_at: Millis;
    expires_at: Millis;
    spent_at: Millis | null;
  };
  /** A sign-in under way at an issuer, spent once. `request`: JSON, sealed under a key from the browser's cookie. */
  sign_in_states: {
    state_hash: string;
    browser_hash: string;
    request: Uint8Array;
    expires_at: Millis;
    spent_at: Millis | null;
  };
  /** Limits of registered apps, which many orgs share; `state` as in `rate_limits`. */
  app_limits: { name: string; state: JsonText; updated_at: Millis };
  /** Who a member is at an issuer of sign-in (OIDC). */
  identities: {
    issuer: string;
    subject: string;
    org_id: string;
    member_id: string;
    created_at: Millis;
  };
}

export type ConnectionState =
  | 'PENDING'
  | 'AUTHORIZING'
  | 'CONNECTED'
  | 'ACTIVE'
  | 'DEGRADED'
  | 'ERROR'
  | 'EXPIRED'
  | 'REVOKED'
  | 'DELETED';
export const actionStatuses = [
  'pending',
  'approved',
  'executing',
  'completed',
  'failed',
  'unknown',
  'rejected',
  'expired',
  'cancelled',
] as const;
export type ActionStatus = (typeof actionStatuses)[number];

/** Tables of one org. Embedded they are one file an org, whose `orgs` table holds that org alone. */
export interface OrgTables
  extends SearchTables,
    MemoryTables,
    PropertyTables,
    IngestionTables,
    QueueTables,
    ClientTables {
  orgs: OrgsTable;
  /** `account`: the provider's own id of the account; `label`: what a person reads; `fields`: non-secret settings. */
  connected_sources: {
    org_id: string;
    id: string;
    provider: string;
    account: string;
    label: string;
    state: ConnectionState;
    fields: JsonText;
    mcp_server_url: string | null;
    /** What a person let agents do with it: null where nobody was asked, which admits proposals. */
    access: Generated<'read' | 'write' | null>;
    last_sync_at: Millis | null;
    last_error: JsonText | null;
    created_at: Millis;
    updated_at: Millis;
  };
  connection_events: {
    org_id: string;
    id: string;
    connection_id: string;
    from_state: string | null;
    to_state: string;
    reason: string | null;
    at: Millis;
  };
  /** AES-256-GCM: `sealed` = 12-byte nonce + ciphertext + 16-byte tag; AAD binds org, connection and field. */
  secrets: {
    org_id: string;
    connection_id: string;
    field: string;
    sealed: Uint8Array;
    key_id: string;
    updated_at: Millis;
  };
  /**
   * Ages of a connection's tokens, which are in `secrets` as `access_token` and `refresh_token`. `version`
   * grows with each answer of the token endpoint: who stores a new one names the version that it replaces.
   */
  oauth_tokens: {
    org_id: string;
    connection_id: string;
    version: number;
    access_expires_at: Millis | null;
    refresh_expires_at: Millis | null;
    scopes: JsonText;
    obtained_at: Millis;
    refreshed_at: Millis | null;
  };
  /** An app registered at a provider, entered by a person; `sealed`: its client secret. */
  provider_apps: {
    org_id: string;
    app: string;
    client_id: string;
    sealed: Uint8Array | null;
    key_id: string | null;
    updated_at: Millis;
  };
  /** Data keys, each wrapped by the master key of that id. */
  data_keys: {
    org_id: string;
    id: string;
    wrapped: Uint8Array;
    master_key_id: string;
    created_at: Millis;
    retired_at: Millis | null;
  };
  /** Settings of the org that people change (`plan`). */
  org_settings: { org_id: string; name: string; value: JsonText; updated_at: Millis };
  /** A call that left the house. `cause`: tool, sync, status, connect. */
  mcp_call_logs: {
    org_id: string;
    id: string;
    connection_id: string | null;
    provider: string;
    operation: string;
    cause: string;
    method: string;
    host: string;
    outcome: string;
    attempts: number;
    ms: number;
    at: Millis;
  };
  integration_errors: {
    org_id: string;
    id: string;
    connection_id: string | null;
    provider: string;
    operation: string;
    code: string;
    message: string;
    at: Millis;
  };
  /** The last health check of a connection. */
  health_checks: { org_id: string; connection_id: string; outcome: string; ms: number; at: Millis };
  /** Token buckets and sliding windows that all processes share. */
  rate_limits: { org_id: string; name: string; state: JsonText; updated_at: Millis };
  /** A lease by name; `fencing` grows with every holder, so that a late write of a former one can be refused. */
  leases: { org_id: string; name: string; owner: string; fencing: number; until: Millis };
}
