// The tables of an org's actions: what waits, who decided, the rules, the proofs, the record.

import type { ActionStatus } from '../tables.ts';
import type { JsonText, Millis } from './columns.ts';

export interface QueueTables {
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
  /** `rule`: JSON (queue/policy/policy.ts); `member_id` null: of the org. Removed ones stay, for what was decided by them. */
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
}
