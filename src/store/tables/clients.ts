// The tables of what is known of clients, and of which clients are one.
import type { JsonText, Millis } from './columns.ts';

export interface ClientTables {
  /**
   * What is known of a client. `subject`: the key it was attached by. Of one `slot` the newest stands; `valid_until`
   * is set where its own source says something else by now. `document_id` null: a person's or an enricher's word.
   */
  client_facts: {
    org_id: string;
    id: string;
    client_id: string | null;
    subject: string;
    document_id: string | null;
    family: string;
    name: string;
    slot: string;
    value: string;
    data: JsonText;
    /** The span in the document's text that says so, half-open, UTF-16 units. */
    start_at: number | null;
    end_at: number | null;
    /** 0..1 */
    confidence: number;
    origin: 'computed' | 'person' | 'enricher';
    by: string | null;
    valid_from: Millis;
    valid_until: Millis | null;
    /** 1: a person took this value away. */
    removed: number;
    recorded_at: Millis;
    content_hash: string;
  };
  /**
   * Whether two clients are one. `pair`: both ids in order; `keys`: what a split took along; `document_id`: the
   * record that says so, where no person did.
   */
  client_merges: {
    org_id: string;
    id: string;
    kind: 'merge' | 'split';
    state: 'proposed' | 'accepted' | 'rejected' | 'undone';
    client_id: string;
    other_id: string;
    pair: string;
    rule: string;
    /** 0..1 */
    score: number;
    evidence: JsonText;
    keys: JsonText;
    document_id: string | null;
    proposed_at: Millis;
    decided_at: Millis | null;
    decided_by: JsonText | null;
  };
}
