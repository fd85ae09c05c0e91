// What differs from one RESO service to the next. Everything else (questions, answers, listings, the feed) is
// spoken alike by all of them.
import type { Http } from '../http.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface Dialect {
  http: Http;
  /** The service root of a connection: an absolute address without a slash at its end. */
  root(fields: Fields): string;
  /** Most rows that one page may have. */
  rows(fields: Fields): number;
  /** Page sizes are asked for by `Prefer: maxpagesize`, as `$top` means the whole answer there. */
  prefers: boolean;
  /** A road of its own for reading everything, by the server's next links; absent: by time of change alone. */
  bulk?: {
    path: '/Property' | '/Property/replication';
    rows(fields: Fields): number;
    /** Whether it takes a `$filter`. */
    filters: boolean;
  };
  /** A change shows this late, ms: each run begins so much before the newest that the last one saw. */
  lagMs: number;
}
