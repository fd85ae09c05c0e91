// Tables of what keeps memory up to date by itself.
import type { JsonText, Millis } from './columns.ts';

interface MessageRow {
  org_id: string;
  queue: string;
  id: string;
  /** How often it was taken. */
  read_count: number;
  enqueued_at: Millis;
  /** Nobody takes it before. */
  visible_at: Millis;
  message: JsonText;
}

export interface IngestionTables {
  messages: MessageRow;
  archived_messages: MessageRow & { archived_at: Millis };
  /**
   * When a connection is synced next. `every_ms` null: each night. `waiting_since`: asked for and not begun.
   * `live_before`: live records when the unfinished run began. `asked_at`: since when a person is asked about deletions.
   */
  sync_schedules: {
    org_id: string;
    connection_id: string;
    every_ms: number | null;
    paused: number;
    next_at: Millis;
    /** Runs that failed since the last one that did not. */
    failures: number;
    /** `code`, `message`, `at`. */
    last_error: JsonText | null;
    /** The next run begins every feed from its beginning. */
    full_wanted: number;
    waiting_since: Millis | null;
    live_before: number | null;
    /** Records forgotten since that run began. */
    forgotten: number;
    asked_at: Millis | null;
    updated_at: Millis;
  };
  /**
   * Records that a feed says are gone. `gathered` in the run at hand; `agreed`: to be forgotten; `held` until a
   * person decides; `kept`, as a person decided.
   */
  held_deletions: {
    org_id: string;
    connection_id: string;
    external_id: string;
    state: 'gathered' | 'agreed' | 'held' | 'kept';
    at: Millis;
  };
}
