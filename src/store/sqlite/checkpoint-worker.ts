// Entry of the checkpoint worker: folds the write-ahead log of one database into its file, beside the event loop.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Ask, Told } from './checkpoint.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker only.');

// Blocking for a moment is what this thread is for.
const db = new DatabaseSync(String(workerData), { timeout: 1000 });
db.exec('pragma synchronous = full');
// PASSIVE holds nobody up. What others still read or write now is folded the next time.
const fold = db.prepare('pragma wal_checkpoint(passive)');

port.on('message', (ask: Ask) => {
  if (ask === 'close') {
    db.close();
    port.close();
    return;
  }
  let told: Told = {};
  try {
    fold.get();
  } catch (thrown) {
    told = { error: String(thrown) };
  }
  port.postMessage(told);
});
