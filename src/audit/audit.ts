// The record, as the rooms above see it: an entry for everything that was proposed, decided, run, connected or
// changed, chained by hashes, in the transaction of what it records.
import type { Transaction } from 'kysely';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';

export interface AuditEntry {
  /** `action.proposed`, `action.approved`, `connection.revoked`, `policy.added`, `key.created` … */
  kind: string;
  /** What it is about: an id. */
  subject: string;
  by: { kind: string; id: string; name: string };
  channel: string;
  /** Kept in the clear: hashes, ids, states. No personal values. */
  facts: Readonly<Record<string, string | number | boolean | null>>;
  /** Personal values: only a commitment to each stands in the chain, so that they can be erased. */
  values?: Readonly<Record<string, string>>;
}

export interface AuditVerdict {
  entries: number;
  /** The first entry that does not hold, and why; undefined when all do. */
  bad: { seq: number; why: string } | undefined;
  /** Hash of the last entry. */
  head: string;
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
  verify(org: OrgStore, against?: AuditCheckpoint): Promise<AuditVerdict>;
  list(org: OrgStore, filter?: { subject?: string; limit?: number; before?: number }): Promise<unknown[]>;
  checkpoint(org: OrgStore): Promise<AuditCheckpoint>;
  /** Erases personal values of a subject; the chain still verifies. @returns how many values went */
  erase(org: OrgStore, subject: string): Promise<number>;
}
