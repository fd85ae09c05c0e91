// The stored tables, one interface a table, the same on SQLite and PostgreSQL. Times are integer
// milliseconds, JSON is text (store/codec.ts), a flag is 0 or 1. Every key begins with org_id.

import type { Generated } from 'kysely';
import type { SearchTables } from './search-tables.ts';

/** Integer milliseconds since 1970-01-01T00:00Z. */
type Millis = number;
/** JSON as text; read and write it with `toJson` and `fromJson` of codec.ts. */
type JsonText = string;

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
  /** `hash`: SHA-256 of the key, hex. `scopes`: JSON array of `read`, `propose`. */
  api_keys: {
    org_id: string;
    id: string;
    name: string;
    hash: string;
    scopes: JsonText;
    created_at: Millis;
    last_used_at: Millis | null;
    revoked_at: Millis | null;
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
export interface OrgTables extends SearchTables {
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
   * A record in memory. `raw` is the payload as the provider gave it, `media_type` says what it is.
   * `text` is normalised (chunks' spans index into it, in UTF-16 units). `readers` null: the whole org.
   * `written_at` is the record's own time, `fetched_at` when we last took it, `verified_at` when we last
   * knew it to be current. `deleted_at` set: a tombstone, in no answer.
   */
  source_documents: {
    org_id: string;
    id: string;
    connection_id: string;
    provider: string;
    kind: string;
    external_id: string;
    title: string;
    text: string;
    raw: Uint8Array;
    /** How `raw` is packed (memory/payload.ts); 0: not at all. */
    raw_coding: Generated<number>;
    media_type: string;
    people: JsonText;
    thread_id: string | null;
    url: string | null;
    language: string | null;
    trust: 'untrusted' | 'trusted';
    readers: JsonText | null;
    written_at: Millis | null;
    fetched_at: Millis;
    verified_at: Millis;
    content_hash: string;
    facts: JsonText;
    deleted_at: Millis | null;
  };
  /** Who a document concerns: `role` from, to, cc, attendee, organiser, contact, speaker, agent. `address` is lower case. */
  document_people: {
    org_id: string;
    document_id: string;
    address: string;
    name: string | null;
    role: string;
  };
  /**
   * `start_at`, `end_at`: span in the document's `text`, the passage. `seq`: the row's number in the search
   * index, given once. `header` and `body` are the terms it is found under, joined by spaces.
   */
  chunks: {
    org_id: string;
    id: string;
    document_id: string;
    ordinal: number;
    start_at: number;
    end_at: number;
    seq: number;
    header: string;
    body: string;
    content_hash: string;
  };
  client_intelligence: {
    org_id: string;
    id: string;
    kind: 'person' | 'company';
    name: string;
    emails: JsonText;
    phones: JsonText;
    company: string | null;
    first_contact_at: Millis | null;
    last_contact_at: Millis | null;
    document_count: number;
    facts: JsonText;
    updated_at: Millis;
  };
  /** What a client is found by: an address, or a word of the name, lower case without diacritics. */
  client_keys: { org_id: string; key: string; client_id: string };
  external_properties: {
    org_id: string;
    id: string;
    connection_id: string;
    provider: string;
    external_id: string;
    url: string | null;
    address: string;
    address_key: string;
    city: string | null;
    region: string | null;
    postal_code: string | null;
    status: string | null;
    home_type: string | null;
    price: number | null;
    currency: string | null;
    beds: number | null;
    baths: number | null;
    area_sqft: number | null;
    latitude: number | null;
    longitude: number | null;
    facts: JsonText;
    /** When its details (and not only a search's row) were last fetched. */
    detailed_at: Millis | null;
    first_seen_at: Millis;
    fetched_at: Millis;
  };
  property_price_history: {
    org_id: string;
    id: string;
    property_id: string;
    event: string;
    price: number;
    currency: string;
    at: Millis;
    source: string;
    seen_at: Millis;
  };
  /**
   * A queued write. `payload` is canonical JSON (RFC 8785); `payload_hash` covers org, account, operation,
   * its version and the payload. `fencing` grows with each lease; `effect_key` is the id we chose for the effect.
   */
  action_queue: {
    org_id: string;
    id: string;
    operation: string;
    operation_version: number;
    effect: string;
    provider: string;
    connection_id: string;
    account: string;
    account_label: string;
    payload: string;
    payload_hash: string;
    effect_key: string;
    summary: string;
    preview: JsonText;
    status: ActionStatus;
    proposed_by: JsonText;
    note: string | null;
    proposed_at: Millis;
    expires_at: Millis;
    decided_at: Millis | null;
    decided_by: JsonText | null;
    decision_channel: string | null;
    decision_reason: string | null;
    lease_owner: string | null;
    lease_until: Millis | null;
    fencing: number;
    sending_at: Millis | null;
    finished_at: Millis | null;
    outcome: JsonText | null;
    next_look_up_at: Millis | null;
    look_ups: number;
    /** Of what was asked for, without the live record and the rules: finds the same proposal again. */
    arguments_hash: string | null;
    /** The live record as it was read when this was proposed, and its hash: part of the envelope. */
    before_record: JsonText | null;
    before_hash: string | null;
    /** What policy said: outcome, the rule's id, the version of the rules. */
    policy: JsonText | null;
    /** Where a person edited it: what was proposed, canonical, and its hash. */
    proposed_payload: string | null;
    proposed_hash: string | null;
    edit_reason: string | null;
    snoozed_until: Millis | null;
    /** The member who is asked; null: any. */
    assigned_to: string | null;
    /** Approved, and not run before this. */
    hold_until: Millis | null;
    /** The action that this one takes back. */
    undo_of: string | null;
    /** Documents that the agent cites: JSON array of `ime://documents/…`. */
    citations: JsonText | null;
    idempotency_key: string | null;
    /** The passkey's signature over the decision, whole, so that it can be verified offline. */
    proof: JsonText | null;
    /** What the client tells of the conversation. */
    conversation: string | null;
    /** Set once what it said was erased: what is left are its hashes, states and times. */
    erased_at: Millis | null;
  };
  /** `rule`: JSON (queue/policy.ts); `member_id` null: of the org. Removed ones stay, for what was decided by them. */
  policy_rules: {
    org_id: string;
    id: string;
    member_id: string | null;
    position: number;
    rule: JsonText;
    created_by: JsonText;
    created_at: Millis;
    removed_at: Millis | null;
  };
  /** `id`: the credential's id, base64url; `public_key`: COSE. */
  passkeys: {
    org_id: string;
    id: string;
    member_id: string;
    name: string;
    public_key: Uint8Array;
    counter: number;
    transports: JsonText;
    created_at: Millis;
    last_used_at: Millis | null;
    removed_at: Millis | null;
  };
  presence_challenges: {
    org_id: string;
    nonce_hash: string;
    member_id: string;
    purpose: string;
    challenge: string;
    created_at: Millis;
    expires_at: Millis;
    spent_at: Millis | null;
  };
  /** Hash-chained; rows are only ever added. `entry`: canonical JSON with commitments in the place of personal values. */
  audit_log: {
    org_id: string;
    seq: number;
    at: Millis;
    kind: string;
    subject: string;
    entry: JsonText;
    prev_hash: string;
    hash: string;
  };
  /** What the commitments of an entry stand for; may be erased while the chain still verifies. */
  audit_values: { org_id: string; seq: number; name: string; salt: string; value: string };
  /** How far the record's front was cut off; rows are only ever added. `checkpoint`: signed, over entry `seq`. */
  audit_cuts: {
    org_id: string;
    seq: number;
    at: Millis;
    checkpoint: JsonText;
    /** Name of the export that was written before, and its SHA-256. */
    archive: string;
    archive_hash: string;
  };
  action_events: {
    org_id: string;
    action_id: string;
    seq: number;
    from_status: string | null;
    to_status: string;
    at: Millis;
    by: JsonText;
    channel: string;
    detail: JsonText;
  };
  /** Bytes attached to an action, copied when it was proposed. */
  action_attachments: {
    org_id: string;
    action_id: string;
    sha256: string;
    name: string;
    media_type: string;
    size: number;
    bytes: Uint8Array;
  };
  ingestion_jobs: {
    org_id: string;
    id: string;
    connection_id: string;
    kind: 'sync' | 'import';
    state: 'running' | 'completed' | 'failed';
    source: string;
    total: number | null;
    seen: number;
    inserted: number;
    updated: number;
    unchanged: number;
    deleted: number;
    rejected: number;
    problems: JsonText;
    resume: JsonText | null;
    started_at: Millis;
    updated_at: Millis;
    finished_at: Millis | null;
  };
  sync_cursors: { org_id: string; connection_id: string; feed: string; cursor: JsonText; updated_at: Millis };
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
  /** What an answer of memory held: `items` as in memory/receipts.ts. */
  answer_receipts: {
    org_id: string;
    id: string;
    tool: string;
    question: string;
    items: JsonText;
    by: JsonText;
    at: Millis;
  };
  /** Something that was made from what memory said. */
  outputs: { org_id: string; id: string; title: string; by: JsonText; at: Millis };
  /** What informed a section of an output: exactly one of chunk, client fact and brain entry. Rows are only ever added. */
  source_attribution: {
    org_id: string;
    id: string;
    output_id: string;
    section: string;
    agent_role: string;
    chunk_id: string | null;
    fact_id: string | null;
    brain_id: string | null;
    document_id: string | null;
    receipt_id: string;
    scores: JsonText;
    content_hash: string;
    verified_at: Millis;
    used_at: Millis;
    by: JsonText;
  };
  /** What the org says of itself, a version a row; the newest one stands unless it is `removed`. */
  org_brain: {
    org_id: string;
    id: string;
    version: number;
    kind: string;
    title: string;
    text: string;
    removed: number;
    by: JsonText;
    at: Millis;
  };
  /** A lease by name; `fencing` grows with every holder, so that a late write of a former one can be refused. */
  leases: { org_id: string; name: string; owner: string; fencing: number; until: Millis };
}
