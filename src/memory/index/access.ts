// Hands a worker its way to an org's rows: the file's name, or on PostgreSQL a port behind which the main thread
// asks in one snapshot.
import { MessageChannel, type Transferable } from 'node:worker_threads';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import { type Access, answerRows } from './rows.sql.ts';

/** Runs `work` with an access that is good until `work` resolves. */
export async function withAccess<Result>(
  org: OrgStore,
  work: (access: Access, transfer: Transferable[]) => Promise<Result>,
): Promise<Result> {
  if (org.dialect === 'sqlite') {
    if (org.file === undefined) throw new DrawbridgeError('internal', 'This org has no database file.');
    return work({ file: org.file }, []);
  }
  return org.read(async (db) => {
    const { port1, port2 } = new MessageChannel();
    const signal = new SharedArrayBuffer(4);
    answerRows(db, port1, signal);
    try {
      return await work({ port: port2, signal }, [port2]);
    } finally {
      port1.close();
    }
  });
}
