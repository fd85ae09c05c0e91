// What the rest of the house sees of the database: handles, no files, no SQL. An OrgStore reaches one org
// and nothing else.
import type { Kysely, Transaction } from 'kysely';
import type { Viewer } from '../viewer.ts';
import type { ControlTables, OrgTables } from './tables.ts';

/**
 * A `read` or `now` inside a callback of the same handle joins its transaction. A `write` (or `writeBeside`) inside a callback,
 * and anything on another handle there, would wait for itself on one database or the other, and is refused
 * (`internal`). A failed statement fails its transaction, though the callback catches the error.
 */
export interface Handle<Tables> {
  /** Reads on one snapshot. The callback may not write. */
  read<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * One transaction that takes the write lock first. Commits when the callback resolves, rolls back when
   * it throws. The callback awaits nothing but the database; it may be run again when the database asks
   * for it (serialisation), so it has no other effects.
   */
  write<Result>(work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * As `write`, for what no answer waits for: what it wrote is seen by others at once, and on the disk when this
   * resolves, but the event loop does not wait for the disk.
   */
  writeBeside<Result>(work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The database's own time, integer milliseconds: leases and expiry are judged by it. */
  now(): Promise<number>;
}

export interface OrgStore extends Handle<OrgTables> {
  readonly orgId: string;
  readonly dialect: 'sqlite' | 'postgres';
  /** Embedded: the org's database file, for the search worker's own read-only connection. */
  readonly file: string | undefined;
  /** Who looks: memory shows this handle what they may see. Absent: the house itself. */
  readonly viewer?: Viewer | undefined;
}

/** A handle in the hands of a principal. */
export type SeenOrg = OrgStore & { readonly viewer: Viewer };

export interface Store {
  readonly dialect: 'sqlite' | 'postgres';
  readonly control: Handle<ControlTables>;
  /**
   * The handle of one org, which must exist in the control tables.
   * @throws DrawbridgeError `not_found`
   */
  forOrg(orgId: string): Promise<OrgStore>;
  /** Creates an org with its tables; returns its id. */
  createOrg(name: string): Promise<string>;
  /** Removes an org and all that is stored for it. @throws DrawbridgeError `conflict` when it has members */
  removeOrg(orgId: string): Promise<void>;
  close(): Promise<void>;
}
