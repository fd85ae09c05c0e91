// Whole imports into a real store: idempotent, resumable, and one bad file costs no other.
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generateMbox } from '../../bench/mbox-generator.ts';
import { loadConfig } from '../../src/config.ts';
import { type ImportProgress, importPaths } from '../../src/jobs/import/import-paths.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { newProgram } from '../cli/program.ts';
import { envelope, mailOf } from './import-readers.ts';

let folder: string;
let rooms: Rooms;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-import-paths-'));
  await mkdir(join(folder, 'in'));
  rooms = await openRooms(
    loadConfig({ DRAWBRIDGE_HOME: join(folder, 'home'), DRAWBRIDGE_LOG_LEVEL: 'silent' }),
  );
});

afterEach(async () => {
  await rooms.close();
  await rm(folder, { recursive: true });
});

const inside = (name: string) => join(folder, 'in', name);
const run = (paths: string[], more: Partial<Parameters<typeof importPaths>[0]> = {}) =>
  importPaths({ ...rooms, paths, ...more });

test('the same mail in two folders of mail is one document', async () => {
  await writeFile(inside('a.mbox'), `${envelope}${mailOf(1, 'one\n')}\n${envelope}${mailOf(2, 'two\n')}\n`);
  await writeFile(
    inside('b.mbox'),
    `${envelope}${mailOf(2, 'two\n', 'Status: RO\n')}\n${envelope}${mailOf(3, 'three\n')}\n`,
  );
  const result = await run([inside('')]);
  expect(result).toMatchObject({ seen: 4, inserted: 3, rejectedTotal: 0 });
  expect((await rooms.memory.stats(rooms.org)).documents).toBe(3);
});

test('a record that stands twice in one batch is one document', async () => {
  await writeFile(inside('a.mbox'), `${envelope}${mailOf(1, 'one\n')}\n`.repeat(5));
  expect(await run([inside('')])).toMatchObject({ seen: 5, inserted: 1, unchanged: 4 });
});

test('an edited file replaces what was imported of it; a moved folder of mail brings nothing new', async () => {
  await writeFile(inside('plan.md'), '# Plan\n\nSell the loft.\n');
  await writeFile(inside('a.mbox'), `${envelope}${mailOf(1, 'one\n')}\n`);
  await run([inside('')]);
  await writeFile(inside('plan.md'), '# Plan\n\nKeep the loft.\n');
  await rename(inside('a.mbox'), inside('z.mbox'));
  expect(await run([inside('')])).toMatchObject({ inserted: 0, updated: 1, unchanged: 1 });
});

test('an import that failed in the middle goes on behind the last stored record', async () => {
  await generateMbox(inside('mail.mbox'), 400, 7);
  let batches = 0;
  const full: Memory = {
    ...rooms.memory,
    ingest: (org, source, batch) => {
      batches += 1;
      if (batches > 5) return Promise.reject(new Error('the disk is full'));
      return rooms.memory.ingest(org, source, batch);
    },
  };
  await expect(run([inside('')], { memory: full })).rejects.toThrow('the disk is full');
  expect((await rooms.memory.stats(rooms.org)).documents).toBe(250);
  // Mail that arrived in the meantime is behind the place to go on from.
  await appendFile(inside('mail.mbox'), `${envelope}${mailOf(9, 'late\n')}\n`);
  const first: ImportProgress[] = [];
  const result = await run([inside('')], { onProgress: (progress) => first.push(progress) });
  expect(result).toMatchObject({ resumed: true, seen: 401, inserted: 401, unchanged: 0 });
  expect(first.at(-1)).toMatchObject({ seen: 401 });
  expect(first.at(-1)?.bytesDone).toBe(first.at(-1)?.bytesTotal);
  // A finished import is not gone on with: the next one reads all of it, and changes nothing.
  expect(await run([inside('')])).toMatchObject({ resumed: false, seen: 401, unchanged: 401 });
});

test('a file that took another’s place is read from its start', async () => {
  await generateMbox(inside('mail.mbox'), 300, 7);
  const stop = new AbortController();
  const stopped = await run([inside('')], {
    signal: stop.signal,
    onProgress: ({ seen }) => {
      if (seen >= 100) stop.abort();
    },
  });
  expect(stopped.stopped).toBe(true);
  await generateMbox(inside('mail.mbox'), 300, 8);
  const before = (await rooms.memory.stats(rooms.org)).documents;
  await run([inside('')]);
  expect((await rooms.memory.stats(rooms.org)).documents).toBe(before + 300);
});

test('a path that is not there is named before anything is read', async () => {
  await writeFile(inside('a.md'), '# A\n');
  await expect(run([inside('a.md'), inside('b.md')])).rejects.toMatchObject({ code: 'not_found' });
  expect((await rooms.memory.stats(rooms.org)).documents).toBe(0);
});

test('after kill -9 the same command goes on where the import was, and nothing is there twice', async () => {
  const program = await newProgram();
  try {
    const mbox = inside('mail.mbox');
    await generateMbox(mbox, 1500, 3);
    const child = program.start(['import', mbox]);
    const closed = new Promise((resolve) => child.once('close', resolve));
    await expect
      .poll(
        async () => {
          const other = await openRooms(
            loadConfig({ DRAWBRIDGE_HOME: program.home, DRAWBRIDGE_LOG_LEVEL: 'silent' }),
          );
          try {
            const job = await other.org.read((db) =>
              db
                .selectFrom('ingestion_jobs')
                .select('resume')
                .where('resume', 'is not', null)
                .executeTakeFirst(),
            );
            return job !== undefined;
          } finally {
            await other.close();
          }
        },
        { timeout: 60_000, interval: 100 },
      )
      .toBe(true);
    child.kill('SIGKILL');
    await closed;
    const result = await program.json<{ resumed: boolean; inserted: number; unchanged: number }>([
      'import',
      mbox,
    ]);
    expect(result.resumed).toBe(true);
    // What was stored in the last moment before the kill, and not yet noted, is met again.
    expect(result.inserted + result.unchanged).toBe(1500);
  } finally {
    await program.remove();
  }
});
