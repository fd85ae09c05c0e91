// Records to parsed records through the parse worker. A record that kills or hangs its worker is found,
// rejected with a reason, and stops no other.
import type { Transferable } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { SourceRecord } from '../providers/record.ts';
import type { FoldAnswer, FoldTask } from './index/fold-work.ts';
import type { ParseOutcome } from './parse.ts';
import { createWorkerPool, WorkerLost } from './worker-pool.ts';

// One keeps up with the thread that writes. A second makes an import no faster on two cores, and costs 40 MB.
const workers = 1;
const timeoutMs = 60_000;
/** Longer than a merge of the index waits between its steps, which are in the worker's memory. */
const idleMs = 60_000;

/** What the parse worker is given to do. */
export type BackgroundTask = { records: SourceRecord[] } | { fold: FoldTask };

export interface Reader {
  /** Outcomes in the order of the records. */
  read(records: readonly SourceRecord[]): Promise<ParseOutcome[]>;
  /** Folds a part of an index, in the same thread: beside reading there is no other work for it. */
  fold(task: FoldTask, transfer: readonly Transferable[]): Promise<FoldAnswer>;
  close(): Promise<void>;
}

export function createReader({ clock, log }: { clock: Clock; log: Log }): Reader {
  const pool = createWorkerPool<BackgroundTask, ParseOutcome[] | FoldAnswer>({
    entry: 'parse-worker',
    size: workers,
    timeoutMs,
    idleMs,
    clock,
    log,
  });

  async function readPart(records: SourceRecord[]): Promise<ParseOutcome[]> {
    try {
      // What a worker gives back is of the kind that it was asked for.
      return (await pool.run({ records })) as ParseOutcome[];
    } catch (thrown) {
      if (!(thrown instanceof WorkerLost)) throw thrown;
      const only = records[0];
      if (records.length > 1 || only === undefined) {
        // One at a time, so that only the one that did it is lost.
        const outcomes: ParseOutcome[] = [];
        for (const record of records) outcomes.push(...(await readPart([record])));
        return outcomes;
      }
      log.warn({ externalId: only.externalId, reason: thrown.message }, 'a record ended the parse worker');
      return [{ externalId: only.externalId, reason: `cannot be read: ${thrown.message}` }];
    }
  }

  return {
    async read(records) {
      return records.length === 0 ? [] : readPart([...records]);
    },
    fold: async (task, transfer) => (await pool.run({ fold: task }, transfer)) as FoldAnswer,
    close: () => pool.close(),
  };
}
