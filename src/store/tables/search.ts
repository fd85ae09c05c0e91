// Rows of the search index: what ingestion notes, and what folding makes of it (docs/decisions/0037-postings.md).
import type { Generated } from 'kysely';
import type { JsonText, Millis } from './columns.ts';

export interface SearchTables {
  /** One row an org (`id` 0). Chunks up to `folded_seq` are in runs, those up to `last_seq` are loose. */
  search_state: {
    org_id: string;
    id: number;
    /** Grows with each transaction that adds or removes chunks. */
    change: number;
    last_seq: number;
    folded_seq: number;
    /** Grows with each transaction that adds or removes blocks or runs. */
    generation: number;
    /** For the next block or run. */
    next_id: number;
  };
  /** Chunks that went, until no block holds them any more. */
  search_gone: { org_id: string; seq: number; change: number };
  /** Some chunks in a row. */
  search_blocks: { org_id: string; id: number; first_seq: number; last_seq: number; slots: number };
  /** What is known of each chunk of a block beside its terms (memory/index/columns.ts). */
  search_columns: { org_id: string; block: number; bytes: Uint8Array };
  /** The postings of one or more blocks in a row; `directory` names the first term of each of its pages. */
  search_runs: {
    org_id: string;
    id: number;
    first_seq: number;
    last_seq: number;
    slots: number;
    level: number;
    directory: Uint8Array;
    names: Uint8Array;
  };
  search_pages: { org_id: string; run: number; page: number; bytes: Uint8Array };
  /** Signs of the vectors of a block's chunks (memory/index/signatures.ts), by the embedder's name. */
  search_signatures: { org_id: string; model: string; block: number; bits: Uint8Array };
  /** One or several vectors of a chunk, a byte a dimension, by the embedder's name. */
  chunk_vectors: { org_id: string; model: string; seq: number; vector: Uint8Array };
  /** In an org's own file alone: those of the built-in embedder, which makes `org_id` and `model` by itself. */
  built_in_vectors: { org_id: Generated<string>; model: Generated<string>; seq: number; vector: Uint8Array };
  /**
   * Embedders beside the built-in one, by the name that stands on their vectors. Chunks up to `done_seq` were embedded;
   * `embedded` and `refused` count them. `change` grows with everything that a search has to read again.
   */
  embedders: {
    org_id: string;
    name: string;
    settings: JsonText;
    /** Where the key is: sealed here, or (null) in the environment, or none is needed. */
    sealed: Uint8Array | null;
    key_id: string | null;
    dimensions: number;
    state: 'building' | 'current' | 'former' | 'purging';
    done_seq: number;
    embedded: number;
    refused: number;
    change: number;
    tries: number;
    error: JsonText | null;
    retry_at: Millis;
    created_at: Millis;
    updated_at: Millis;
    /** When it began or ceased to answer questions. */
    switched_at: Millis | null;
  };
}
