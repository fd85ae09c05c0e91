// Messages with pgmq's verbs: what is sent is read by one at a time, and comes again unless whoever read it
// archives or deletes it in time. Times are the database's own.
import { createPgmq, hasPgmq } from '../../store/postgres/pgmq.ts';
import type { OrgStore, Store } from '../../store/store.ts';
import { archive, metrics, read, remove, send, setVisibility, sweepArchive } from './own-tables.ts';

export interface Message {
  id: string;
  /** 1 for who reads it first. */
  readCount: number;
  /** Integer ms. */
  enqueuedAt: number;
  /** JSON, as it was sent. */
  body: unknown;
}

export interface QueueMetrics {
  /** Messages that are neither archived nor deleted, those that somebody has taken included. */
  length: number;
  /** Those of them that can be read now. */
  visible: number;
  /** Age of the oldest of them, ms; undefined where there is none. */
  oldestMs: number | undefined;
}

/** `queue`: lower-case letters and `_`, at most 12. Each org's messages are its own. */
export interface Messages {
  /** @returns its id; those that a process sends ascend. */
  send(org: OrgStore, queue: string, body: unknown, options?: { delayMs?: number }): Promise<string>;
  /** Takes at most `quantity` messages, the oldest first; nobody else is given them for `visibleInMs`. */
  read(org: OrgStore, queue: string, take: { visibleInMs: number; quantity: number }): Promise<Message[]>;
  /** It can be read in so many ms from now. False where it is archived or deleted. */
  setVisibility(org: OrgStore, queue: string, id: string, visibleInMs: number): Promise<boolean>;
  /** It is done, and kept as a record. False where it was already. */
  archive(org: OrgStore, queue: string, id: string): Promise<boolean>;
  /** It is done, and forgotten. False where it was already. */
  delete(org: OrgStore, queue: string, id: string): Promise<boolean>;
  metrics(org: OrgStore, queue: string): Promise<QueueMetrics>;
  /** Forgets what was archived more than so long ago. */
  sweep(org: OrgStore, queue: string, keptMs: number): Promise<void>;
}

/** Messages in tables of each org's own, the same on both databases. */
export const ownMessages: Messages = {
  send,
  read,
  setVisibility,
  archive,
  delete: remove,
  metrics,
  sweep: sweepArchive,
};

/** Through pgmq where the database has it, else in tables of our own. Asked once, when it is first needed. */
export function createMessages(store: Store): Messages {
  let chosen: Promise<Messages> | undefined;
  const through = (): Promise<Messages> => {
    chosen ??= (async () => ((await hasPgmq(store)) ? createPgmq(store) : ownMessages))();
    // A database that could not be asked is asked again.
    chosen.catch(() => {
      chosen = undefined;
    });
    return chosen;
  };
  return {
    send: async (...given) => (await through()).send(...given),
    read: async (...given) => (await through()).read(...given),
    setVisibility: async (...given) => (await through()).setVisibility(...given),
    archive: async (...given) => (await through()).archive(...given),
    delete: async (...given) => (await through()).delete(...given),
    metrics: async (...given) => (await through()).metrics(...given),
    sweep: async (...given) => (await through()).sweep(...given),
  };
}
