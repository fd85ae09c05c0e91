// The one small interface behind which ranking lives: terms in, scored chunks out. FTS5 stands behind it
// embedded, tsvector on PostgreSQL.
import type { Transaction } from 'kysely';
import type { DocumentKind } from '../../providers/record.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';

/** A chunk as the index takes it: terms joined by spaces, a field each. */
export interface IndexRow {
  seq: number;
  header: string;
  body: string;
  neighbours: string;
}

/** Resolved before ranking, so that `limit` rows come back wherever that many match. */
export interface IndexFilters {
  kinds?: DocumentKind[];
  /** Written at or after / before, integer ms. */
  since?: number;
  until?: number;
  /** Documents that concern any of these addresses. */
  addresses?: string[];
  connectionIds?: string[];
  threadId?: string;
}

export interface IndexQuery {
  /** Terms in order of appearance; one asked for twice counts twice. */
  terms: string[];
  filters: IndexFilters;
  limit: number;
  offset: number;
  /** Chunks numbered higher came later than the first page and are left out. */
  maxSeq: number;
}

/** Higher is better; comparable within one answer only. */
export interface IndexHit {
  seq: number;
  score: number;
}

export interface SearchIndex {
  /** In the caller's transaction: the rows become visible with the chunks, or not at all. */
  add(tx: Transaction<OrgTables>, orgId: string, rows: readonly IndexRow[]): Promise<void>;
  remove(tx: Transaction<OrgTables>, orgId: string, seqs: readonly number[]): Promise<void>;
  search(org: OrgStore, query: IndexQuery): Promise<IndexHit[]>;
  close(): Promise<void>;
}

/** What a match in a field counts for. Measured: a neighbour's words help at 0.4–0.5 and harm at 1. */
export const fieldWeights = { header: 2, body: 1, neighbours: 0.45 } as const;
