// The embedded store: one small control file, and one file an org. A file holds one org, so it cannot leak
// another.
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { cannotBeWritten, makeFolder } from '../../make-folder.ts';
import { createHandle, type Engine } from '../handle.ts';
import { migrate } from '../migrate.ts';
import { migrations as shipped } from '../migrations/list.ts';
import type { Migration } from '../migrations/migration.ts';
import { removeEmptyOrg } from '../remove-org.ts';
import type { Handle, OrgStore, Store } from '../store.ts';
import type { ControlTables, OrgTables } from '../tables.ts';
import { whenFree } from './busy.ts';
import { createCheckpointer } from './checkpoint.ts';
import { connect, sqliteDialect } from './driver.ts';
import { createQueueLock } from './queue-lock.ts';

// The shape of newId('org', …). An id becomes a file name, so nothing else may pass.
const orgIdShape = /^org_[0-9a-z]{26}$/;

interface Ground {
  home: string;
  clock: Clock;
  log: Log;
  migrations?: readonly Migration[];
}

interface OpenFile<Tables> {
  handle: Handle<Tables>;
  close(): Promise<void>;
}

export async function openEmbedded({ home, clock, log, migrations = shipped }: Ground): Promise<Store> {
  const orgs = join(home, 'orgs');
  makeFolder(home, setting);
  makeFolder(orgs, setting);
  const control = await openFile<ControlTables>(join(home, 'control.db'), {
    clock,
    log,
    migrations,
    parts: ['control'],
  });
  const opened = new Map<string, Promise<OpenFile<OrgTables>>>();
  const fileOf = (orgId: string) => join(orgs, `${orgId}.db`);

  function openOrg(orgId: string): Promise<OpenFile<OrgTables>> {
    const known = opened.get(orgId);
    if (known !== undefined) return known;
    const opening = openFile<OrgTables>(fileOf(orgId), { clock, log, migrations, parts: ['org'], orgId });
    opened.set(orgId, opening);
    // A failure is not remembered: the next call may find the file mended.
    opening.catch(() => opened.delete(orgId));
    return opening;
  }

  return Object.freeze<Store>({
    dialect: 'sqlite',
    control: control.handle,
    async forOrg(orgId): Promise<OrgStore> {
      const row = orgIdShape.test(orgId)
        ? await control.handle.read((db) =>
            db.selectFrom('orgs').select('id').where('id', '=', orgId).executeTakeFirst(),
          )
        : undefined;
      if (row === undefined) throw new DrawbridgeError('not_found', 'There is no such org.');
      const file = fileOf(orgId);
      if (!existsSync(file)) {
        throw new DrawbridgeError(
          'internal',
          `The database of ${orgId} is missing. Restore ${file} from a backup.`,
        );
      }
      const { handle } = await openOrg(orgId);
      return Object.freeze({ ...handle, orgId, dialect: 'sqlite' as const, file });
    },
    async createOrg(name): Promise<string> {
      const at = clock.now();
      const org = { id: newId('org', at), name, created_at: at };
      // The file first: what the control file names is always there. A kill between the two leaves an empty
      // file that nothing names.
      const { handle } = await openOrg(org.id);
      await handle.write((tx) => tx.insertInto('orgs').values(org).execute());
      await control.handle.write((tx) => tx.insertInto('orgs').values(org).execute());
      return org.id;
    },
    async removeOrg(orgId): Promise<void> {
      if (!orgIdShape.test(orgId)) return;
      await control.handle.write((tx) => removeEmptyOrg(tx, orgId));
      await (await opened.get(orgId))?.close();
      opened.delete(orgId);
      for (const part of ['', '-wal', '-shm']) await rm(`${fileOf(orgId)}${part}`, { force: true });
    },
    async close() {
      const files = await Promise.allSettled(opened.values());
      opened.clear();
      for (const file of files) if (file.status === 'fulfilled') await file.value.close();
      await control.close();
      log.debug({ home }, 'store closed');
    },
  });
}

const setting = 'DRAWBRIDGE_HOME';

interface FileOptions {
  clock: Clock;
  log: Log;
  migrations: readonly Migration[];
  parts: readonly ('control' | 'org')[];
  orgId?: string;
}

async function openFile<Tables>(
  file: string,
  { clock, log, migrations, parts, orgId }: FileOptions,
): Promise<OpenFile<Tables>> {
  // SQLite gives its own files (-wal, -shm) the mode of this one.
  try {
    await (await open(file, 'a', 0o600)).close();
  } catch (cause) {
    throw cannotBeWritten(file, setting, cause);
  }
  const writing = await connect(file, 'write', clock);
  const checkpointer = createCheckpointer(writing, file, { log });
  const afterTurn = () => checkpointer.whenDue();
  const turns = createQueueLock();
  const options = { file, clock, turns, afterTurn };
  const writer = new Kysely<Tables>({ dialect: sqliteDialect(writing, 'write', options) });
  const beside = new Kysely<Tables>({ dialect: sqliteDialect(writing, 'beside', options) });
  let reading: DatabaseSync | undefined;
  try {
    await migrate(
      {
        dialect: 'sqlite',
        parts,
        ...(orgId === undefined ? {} : { orgId }),
        name: file,
        locked: (work) => writer.transaction().execute((tx) => work(tx as unknown as Transaction<unknown>)),
        now: () => clock.now(),
      },
      migrations,
    );
    reading = await connect(file, 'read', clock);
    if (orgId !== undefined) await checkOwner(reading, orgId, { file, clock });
  } catch (thrown) {
    reading?.close();
    await checkpointer.close();
    writing.close();
    throw thrown;
  }
  const reader = new Kysely<Tables>({ dialect: sqliteDialect(reading, 'read', { file, clock }) });
  const engine: Engine<Tables> = {
    async run(mode, work) {
      if (mode !== 'beside') return (mode === 'write' ? writer : reader).transaction().execute(work);
      const result = await beside.transaction().execute(work);
      // Another thread waits for the disk. A commit that waits by itself would have done no more.
      const log = await open(`${file}-wal`, 'r+');
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
      return result;
    },
    // The database runs in this process, on this machine: its time is the process's.
    now: async () => clock.now(),
  };
  return {
    handle: createHandle(engine),
    async close() {
      // Waits for what is under way. The writer goes last: only it can fold the log into the file. Kysely
      // leaves a driver alone that it never used.
      await reader.destroy();
      if (reading.isOpen) reading.close();
      await checkpointer.close();
      await beside.destroy();
      await writer.destroy();
      if (writing.isOpen) writing.close();
    },
  };
}

/** A file that was copied to another's name is no proof of whose it is. A new one names nobody yet. */
async function checkOwner(
  db: DatabaseSync,
  orgId: string,
  { file, clock }: { file: string; clock: Clock },
): Promise<void> {
  const owner = await whenFree(clock, () => db.prepare('select id from orgs').get());
  if (owner !== undefined && owner['id'] !== orgId) {
    throw new DrawbridgeError('internal', `${file} holds another org. Restore it from a backup.`);
  }
}
