// The one small interface behind which the index lives: numbers for chunks in the transaction that writes them,
// and a question to scored chunks. The same tables and the same code stand behind it on both databases.
import type { Transaction } from 'kysely';
import type { DocumentKind } from '../../providers/record.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Viewer } from '../../viewer.ts';
import type { QuestionVectors } from '../embed/question-vectors.ts';
import type { ScoreParts } from '../rank/parts.ts';

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
  documentIds?: string[];
  /** Only what they may see. */
  viewer?: Viewer;
}

export interface IndexQuery {
  /** The question as it was asked, for what does not go by its terms. */
  text: string;
  /** Terms in order of appearance; one asked for twice counts twice. */
  terms: string[];
  /** The same terms by the word that they stand for: one that is not there is no loss where another is. */
  words?: string[][];
  /** Terms of what stood in quotes, a list each. */
  phrases: string[][];
  /** In the space of the org's own embedder; left out where the built-in one answers. */
  vectors?: QuestionVectors | undefined;
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
  /** What the score is made of. */
  parts: ScoreParts;
}

/** One transaction's changes: numbers for new chunks, and those of chunks that go. */
export interface IndexChange {
  /** The next chunk's number. No number is given twice, and a chunk never changes under its number. */
  number(): number;
  gone(seqs: readonly number[]): void;
  /** Writes what changed; to be awaited before the transaction ends. @returns how many chunks are not folded yet */
  write(): Promise<number>;
}

export interface SearchIndex {
  /** In the caller's transaction, which holds the org's ingest lock: seen with the chunks, or not at all. */
  change(tx: Transaction<OrgTables>, orgId: string): Promise<IndexChange>;
  search(org: OrgStore, query: IndexQuery): Promise<IndexHit[]>;
  /** Folds what is loose into the index in the background, when `loose` chunks are enough for that. */
  settle(org: OrgStore, loose: number): void;
  /** Resolves when nothing is being folded. */
  settled(): Promise<void>;
  close(): Promise<void>;
}
