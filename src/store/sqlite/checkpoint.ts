// The write-ahead log is folded into its database by a thread, not by the commit that happens to find it long:
// that costs tens of milliseconds of the disk, and a commit stops the event loop.
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../log.ts';
import { workerUrl } from '../../worker-path.ts';

/** What the worker is asked, and what it answers: nothing, or what went wrong. */
export type Ask = 'fold' | 'close';
export interface Told {
  error?: string;
}

/** Pages in the log (16 kB each in a database of ours). SQLite's own mark is 1,000. */
const duePages = 1_000;
/** The thread is gone or far behind: the commit does it after all, and the log stays bounded. */
const backstopPages = 4_000;

export interface Checkpointer {
  /** Undefined when the log is short; else it is being folded, and the next writer of this process waits. Never rejects. */
  whenDue(): Promise<void> | undefined;
  close(): Promise<void>;
}

/** NOOP tells the log's length since SQLite 3.51; an older one would fold it instead (https://sqlite.org/pragma.html#pragma_wal_checkpoint). */
function tellsLength(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 51);
}

/** Watches the log of `db`, the writing connection of `file`. `entry`: the worker's code. */
export function createCheckpointer(
  db: DatabaseSync,
  file: string,
  { log, entry = workerUrl('store/sqlite/checkpoint-worker') }: { log: Log; entry?: URL },
): Checkpointer {
  // Where the length is not told, SQLite folds the log in the commit, as it does by itself.
  if (!tellsLength(process.versions['sqlite'])) {
    return { whenDue: () => undefined, close: () => Promise.resolve() };
  }
  db.exec(`pragma wal_autocheckpoint = ${backstopPages}`);
  const length = db.prepare('pragma wal_checkpoint(noop)');
  let worker: Worker | undefined;
  let asked: PromiseWithResolvers<void> | undefined;
  let closed = false;

  function giveUp(reason: string): void {
    asked?.resolve();
    if (closed) return;
    closed = true;
    log.warn({ file, reason }, 'the checkpoint thread is lost: commits fold the log themselves');
    if (db.isOpen) db.exec(`pragma wal_autocheckpoint = ${duePages}`);
  }

  function start(): Worker {
    // Standard streams stay the worker's own: stdout belongs to JSON-RPC.
    // It holds no more than a few statements.
    const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };
    const started = new Worker(entry, { workerData: file, stdout: true, stderr: true, resourceLimits });
    started.on('message', ({ error }: Told) => {
      if (error === undefined) asked?.resolve();
      else giveUp(error);
    });
    started.on('error', (error) => giveUp(String(error)));
    started.on('exit', (code) => {
      worker = undefined;
      giveUp(`it ended with code ${code}`);
    });
    return started;
  }

  async function fold(): Promise<void> {
    worker ??= start();
    asked = Promise.withResolvers();
    // Kept alive while somebody waits, and no longer.
    worker.ref();
    worker.postMessage('fold' satisfies Ask);
    await asked.promise;
    asked = undefined;
    // Who closes meanwhile waits for its end: nothing else may hold the process then.
    if (!closed) worker?.unref();
  }

  return {
    whenDue() {
      if (closed) return undefined;
      try {
        const told = length.get();
        const pages = Number(told?.['log']);
        if (!(pages >= duePages) || pages === told?.['checkpointed']) return undefined;
        return fold();
      } catch (thrown) {
        // What was committed is committed, whatever becomes of the log.
        giveUp(String(thrown));
        return undefined;
      }
    },
    async close() {
      closed = true;
      const last = worker;
      if (last === undefined) return;
      const ended = new Promise((resolve) => last.once('exit', resolve));
      last.ref();
      last.postMessage('close' satisfies Ask);
      await ended;
    },
  };
}
