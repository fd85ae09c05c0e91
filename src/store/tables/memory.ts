// The tables of an org's memory: documents, clients, properties, receipts, and what brings them in.
import type { Generated } from 'kysely';
import type { JsonText, Millis } from './columns.ts';

export interface MemoryTables {
  /**
   * A record in memory. `raw` is the payload as the provider gave it, `media_type` says what it is.
   * `text` is normalised (chunks' spans index into it, in UTF-16 units); where `text_packed` is there, it stands in
   * that instead (memory/documents/packed.ts). `readers` null: the whole org;
   * else names as in src/viewer.ts.
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
    /** How `raw` is packed (memory/documents/payload.ts); 0: not at all. */
    raw_coding: Generated<number>;
    text_packed: Generated<Uint8Array | null>;
    media_type: string;
    people: JsonText;
    thread_id: string | null;
    url: string | null;
    language: string | null;
    trust: 'untrusted' | 'trusted';
    readers: JsonText | null;
    /** What the provider filed it under, lower case; null: under nothing. */
    labels: Generated<JsonText | null>;
    written_at: Millis | null;
    fetched_at: Millis;
    verified_at: Millis;
    /** SHA-256, as memory/documents/content-hash.ts reads it. */
    content_hash: string;
    /** '' where they are packed with the payload (memory/documents/payload.ts). */
    facts: JsonText;
    deleted_at: Millis | null;
  };
  /** Who a document concerns: `role` from, to, cc, attendee, organiser, contact, speaker, agent. `address` is lower case. */
  document_people: {
    /** An org's own file makes it by itself, and takes none. */
    org_id: Generated<string>;
    document_id: string;
    address: string;
    name: string | null;
    role: string;
  };
  /**
   * `start_at`, `end_at`: span in the document's `text`, the passage. `seq`: the row's number in the search
   * index, given once. `header` and `body` are the terms it is found under, joined by spaces; where
   * `words` is there, they stand packed in that instead (memory/documents/packed.ts). `id`: the document's, a dot and
   * `ordinal`; an org's own file makes it by itself, as it does `org_id`.
   */
  chunks: {
    org_id: Generated<string>;
    id: Generated<string>;
    document_id: string;
    ordinal: number;
    start_at: number;
    end_at: number;
    seq: number;
    header: string;
    body: string;
    content_hash: Generated<string>;
    /** In an org's own file alone, where `content_hash` is made of it: the same in bytes. */
    hash: Generated<Uint8Array>;
    words: Generated<Uint8Array | null>;
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
    /** The client that it was joined to; what is its own stays here. */
    merged_into: Generated<string | null>;
  };
  /**
   * What a client is found by: an address, a word of the name (lower case without diacritics), or, marked by what
   * it is, `tel:` E.164, `crm:` connection and id, `dom:` a company's domain, `at:` a person's, `reg:`, `name:`.
   */
  client_keys: { org_id: string; key: string; client_id: string };
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
    /** What asked for a sync: connect, schedule, person, webhook, recall. */
    cause: Generated<string | null>;
  };
  sync_cursors: { org_id: string; connection_id: string; feed: string; cursor: JsonText; updated_at: Millis };
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
}
