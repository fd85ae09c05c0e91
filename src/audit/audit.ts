// The record, as the rooms above see it: an entry for everything that was proposed, decided, run, connected or
// changed, chained by hashes, in the transaction of what it records.
import type { Transaction } from 'kysely';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { ArchiveVerdict } from './archive.ts';

/** Who did it. The id stands in the clear, the name behind a commitment. */
export interface AuditMaker {
  kind: string;
  id: string;
  name: string;
}

type Facts = Readonly<Record<string, string | number | boolean | null>>;

export interface AuditEntry {
  /** `action.proposed`, `action.approved`, `connection.revoked`, `policy.added`, `key.created` … */
  kind: string;
  /** What it is about: an id. */
  subject: string;
  by: AuditMaker;
  channel: string;
  /** Kept in the clear: hashes, ids, states. No personal values. */
  facts: Facts;
  /** Personal values: only a commitment to each stands in the chain, so that they can be erased. */
  values?: Readonly<Record<string, string>>;
}

/** An entry as it is hashed: `hash` of the row = SHA-256 of its canonical JSON (RFC 8785), which the row keeps. */
export interface RecordedEntry {
  org: string;
  /** 1, 2, 3 … within the org. */
  seq: number;
  /** Integer ms, the database's time. */
  at: number;
  kind: string;
  subject: string;
  by: Omit<AuditMaker, 'name'>;
  channel: string;
  facts: Facts;
  /** By the value's name: SHA-256 of its salt and the value, hex. */
  commitments: Readonly<Record<string, string>>;
  prev_hash: string;
}

/** An entry as it is read: what was not erased of its values, and the names of those that were. */
export interface AuditLine
  extends Pick<RecordedEntry, 'seq' | 'at' | 'kind' | 'subject' | 'by' | 'channel' | 'facts'> {
  values: Readonly<Record<string, string>>;
  erased: readonly string[];
  hash: string;
}

export interface AuditVerdict {
  entries: number;
  /** The first entry that does not hold, and why; undefined when all do. */
  bad: { seq: number; why: string } | undefined;
  /** Hash of the last entry. */
  head: string;
  /** The first so many went to an archive, and it verifies from there; 0 where none did. */
  cut: number;
}

export interface AuditCheckpoint {
  org: string;
  entries: number;
  head: string;
  at: number;
  /** Ed25519, base64, over the canonical JSON of the rest; the public key is beside it. */
  signature: string;
  publicKey: string;
}

export interface Audit {
  /** Appends inside the caller's transaction; the entry is there if and only if the change is. */
  append(tx: Transaction<OrgTables>, orgId: string, at: number, entry: AuditEntry): Promise<void>;
  /**
   * Walks the whole record. `against`: a checkpoint that was kept elsewhere; it must be signed by this
   * installation's key, or by one of `trusted` (public keys in base64).
   */
  verify(org: OrgStore, against?: AuditCheckpoint, trusted?: readonly string[]): Promise<AuditVerdict>;
  /** Newest first; at most 500 at once. `before`: the number of the last one of the page before. */
  list(org: OrgStore, filter?: { subject?: string; limit?: number; before?: number }): Promise<AuditLine[]>;
  /** @throws DrawbridgeError `conflict` when the record does not hold: what is broken is not signed */
  checkpoint(org: OrgStore): Promise<AuditCheckpoint>;
  /**
   * Lets go of entries older than `keptMs`, once: they are verified, exported to `folder` and signed for first.
   * @returns how many went
   * @throws DrawbridgeError `conflict` when the record does not hold: then nothing goes
   */
  cut(org: OrgStore, given: { keptMs: number; folder: string }): Promise<number>;
  /** An export of a cut, line by line. `trusted`: as in `verify`. @throws DrawbridgeError `invalid_request` */
  verifyArchive(
    org: OrgStore,
    lines: readonly string[],
    trusted?: readonly string[],
  ): Promise<ArchiveVerdict>;
  /**
   * Erases personal values: all of the entries about `subject` (an action, a connection, a key …), and its
   * name where `subject` did something. The chain still verifies; the erasure is itself recorded.
   * @returns how many values went
   */
  erase(org: OrgStore, subject: string, by: AuditMaker, channel: string): Promise<number>;
}
