// The write-ahead log: folded beside the event loop, bounded, and never at the price of what was committed.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import { createCheckpointer } from '../../src/store/sqlite/checkpoint.ts';
import { connect } from '../../src/store/sqlite/driver.ts';
import type { OrgStore } from '../../src/store/store.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-checkpoint-'));
});
afterEach(async () => {
  await rm(home, { recursive: true });
});

const log = createLog({ level: 'silent' });
const megabyte = 1024 * 1024;
const lengthOf = (db: DatabaseSync) => Number(db.prepare('pragma wal_checkpoint(noop)').get()?.['log']);
const unfolded = (db: DatabaseSync) => {
  const told = db.prepare('pragma wal_checkpoint(noop)').get();
  return Number(told?.['log']) - Number(told?.['checkpointed']);
};

/** A commit of about a megabyte, as an import makes them. */
async function writeMuch(org: OrgStore, n: number): Promise<void> {
  await org.write((tx) =>
    tx
      .insertInto('leases')
      .values({ org_id: org.orgId, name: `big ${n}`, owner: 'x'.repeat(megabyte), fencing: n, until: 1 })
      .execute(),
  );
}

async function opened() {
  const file = join(home, 'a.db');
  await writeFile(file, '');
  const db = await connect(file, 'write', systemClock);
  db.exec('create table t (x blob) strict');
  const write = () => db.exec(`insert into t values (randomblob(${megabyte}))`);
  return { db, file, write };
}

test('a commit leaves a long log as it is, and the thread folds it', async () => {
  const { db, file, write } = await opened();
  const checkpointer = createCheckpointer(db, file, { log });
  try {
    while (lengthOf(db) < 1_000) {
      expect(checkpointer.whenDue()).toBeUndefined();
      write();
    }
    expect(unfolded(db)).toBe(lengthOf(db));
    await checkpointer.whenDue();
    expect(unfolded(db)).toBe(0);
    // Folded is folded: there is nothing to do until it is long again, and it begins anew.
    expect(checkpointer.whenDue()).toBeUndefined();
    write();
    expect(lengthOf(db)).toBeLessThan(200);
  } finally {
    await checkpointer.close();
    db.close();
  }
});

test('while the thread is lost the log stays bounded: the commit folds it', async () => {
  const { db, file, write } = await opened();
  const broken = join(home, 'broken.mjs');
  await writeFile(broken, 'throw new Error("no thread today");');
  const lines: string[] = [];
  const warned = createLog({
    level: 'warn',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const checkpointer = createCheckpointer(db, file, { log: warned, entry: pathToFileURL(broken) });
  try {
    while (lengthOf(db) < 1_000) write();
    await checkpointer.whenDue();
    expect(lines.join('')).toContain('no thread today');
    for (let i = 0; i < 40; i += 1) {
      write();
      expect(checkpointer.whenDue()).toBeUndefined();
      expect(lengthOf(db)).toBeLessThan(1_200);
    }
  } finally {
    await checkpointer.close();
    db.close();
  }
});

test('a log that a reader holds is folded as soon as the reader is gone, and the writer goes on meanwhile', async () => {
  const { db, file, write } = await opened();
  const checkpointer = createCheckpointer(db, file, { log });
  const reader = new DatabaseSync(file, { readOnly: true });
  try {
    write();
    reader.exec('begin');
    reader.prepare('select count(*) from t').get();
    while (lengthOf(db) < 1_000) write();
    await checkpointer.whenDue();
    expect(unfolded(db)).toBeGreaterThan(0);
    write();
    reader.exec('rollback');
    await checkpointer.whenDue();
    expect(unfolded(db)).toBe(0);
  } finally {
    reader.close();
    await checkpointer.close();
    db.close();
  }
});

test('writers that never pause keep a bounded log, lose nothing, and leave one file when closed', async () => {
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const org = await store.forOrg(await store.createOrg('Brightwater Homes'));
  const file = join(home, 'orgs', `${org.orgId}.db`);
  await Promise.all(Array.from({ length: 80 }, (_, n) => writeMuch(org, n)));
  // 80 MB were written; SQLite's own mark is 16 MB.
  expect((await stat(`${file}-wal`)).size).toBeLessThan(40 * megabyte);
  const { n } = await org.read((db) =>
    db.selectFrom('leases').select(db.fn.countAll<number>().as('n')).executeTakeFirstOrThrow(),
  );
  expect(n).toBe(80);
  await store.close();
  await expect(stat(`${file}-wal`)).rejects.toThrow('ENOENT');
  const closed = new DatabaseSync(file, { readOnly: true });
  expect(closed.prepare('select count(*) as n from leases').get()?.['n']).toBe(80);
  expect(closed.prepare('pragma integrity_check').get()?.['integrity_check']).toBe('ok');
  closed.close();
});

test('a process that closes while the log is folded waits for that, and ends in order', async () => {
  const program = fileURLToPath(new URL('./fixtures/close-while-folding.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, join(home, 'db')]);
  expect(stdout).toBe('closed');
});
