// What approvals need beyond a decision: policy, edits, live records, holds, proofs of presence; and the record
// of it all, to which rows are only ever added.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Columns that `action_queue` gains; all may be null. */
const actionColumns = {
  arguments_hash: 'text',
  before_record: 'text',
  before_hash: 'text',
  policy: 'text',
  proposed_payload: 'text',
  proposed_hash: 'text',
  edit_reason: 'text',
  snoozed_until: 'integer',
  assigned_to: 'text',
  hold_until: 'integer',
  undo_of: 'text',
  citations: 'text',
  idempotency_key: 'text',
  proof: 'text',
  conversation: 'text',
} as const;

export const approvals: Migration = {
  number: 4,
  name: 'approvals',

  async org(kit) {
    for (const [column, type] of Object.entries(actionColumns)) {
      const stored = kit.dialect === 'postgres' && type === 'integer' ? 'bigint' : type;
      await kit.tx.schema
        .alterTable('action_queue')
        .addColumn(
          column,
          kit.dialect === 'postgres' && type === 'text' ? sql`text collate "C"` : sql.raw(stored),
        )
        .execute();
    }
    await sql`create index action_queue_by_arguments on action_queue (org_id, arguments_hash)`.execute(
      kit.tx,
    );
    await sql`create index action_queue_by_undone on action_queue (org_id, undo_of)
      where undo_of is not null`.execute(kit.tx);
    await sql`create unique index action_queue_by_idempotency_key on action_queue (org_id, idempotency_key)
      where idempotency_key is not null`.execute(kit.tx);
    // The inbox counts what waits, and names who asked, without reading the rows.
    await sql`create index action_queue_by_snooze on action_queue (org_id, status, snoozed_until)`.execute(
      kit.tx,
    );
    // PostgreSQL refuses index entries of 2.7 kB, and finds rows without their payloads by itself.
    if (kit.dialect === 'sqlite') {
      await sql`create index action_queue_by_asker on action_queue (org_id, proposed_by)`.execute(kit.tx);
    }
    await kit.orgTable('policy_rules', {
      columns: {
        id: 'text',
        member_id: 'text?',
        position: 'integer',
        rule: 'text',
        created_by: 'text',
        created_at: 'integer',
        removed_at: 'integer?',
      },
      key: ['id'],
      indexes: [{ columns: ['position'] }],
    });
    await kit.orgTable('passkeys', {
      columns: {
        id: 'text',
        member_id: 'text',
        name: 'text',
        public_key: 'blob',
        counter: 'integer',
        transports: 'text',
        created_at: 'integer',
        last_used_at: 'integer?',
        removed_at: 'integer?',
      },
      key: ['id'],
      indexes: [{ columns: ['member_id'] }],
    });
    // Single-use: of a decision that is to be signed, or of a passkey that is being enrolled.
    await kit.orgTable('presence_challenges', {
      columns: {
        nonce_hash: 'text',
        member_id: 'text',
        purpose: 'text',
        challenge: 'text',
        created_at: 'integer',
        expires_at: 'integer',
        spent_at: 'integer?',
      },
      key: ['nonce_hash'],
      indexes: [{ columns: ['expires_at'] }],
    });
    // `hash` = SHA-256 over `prev_hash` and the entry; personal values stand in `audit_values` behind a commitment.
    await kit.orgTable('audit_log', {
      columns: {
        seq: 'integer',
        at: 'integer',
        kind: 'text',
        subject: 'text',
        entry: 'text',
        prev_hash: 'text',
        hash: 'text',
      },
      key: ['seq'],
      indexes: [{ columns: ['subject'] }, { columns: ['at'] }],
      appendOnly: true,
    });
    await kit.orgTable('audit_values', {
      columns: { seq: 'integer', name: 'text', salt: 'text', value: 'text' },
      key: ['seq', 'name'],
    });
  },
};
