// The buffers that an import uses again and again: what was read from them stays what it was.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openByteSource } from '../../src/jobs/import/byte-source.ts';
import { createIntake } from '../../src/jobs/import/intake.ts';
import type { ImportJob } from '../../src/jobs/import/job.ts';
import { createSlabs, put } from '../../src/jobs/import/slabs.ts';
import { createWindow } from '../../src/jobs/import/window.ts';
import type { IngestBatch, Memory } from '../../src/memory/memory.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { reading } from './import-readers.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** Bytes that are different everywhere within a stretch of 64 kB. */
function pattern(length: number, start = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (((start + i) * 2_654_435_761) >>> 13) & 0xff;
  return bytes;
}

test('a file is read in pieces that are all of it, in one buffer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-import-'));
  folders.push(folder);
  const content = pattern(1_000_001);
  await writeFile(join(folder, 'a'), content);
  const source = await openByteSource(join(folder, 'a'));
  const read: Buffer[] = [];
  const buffers = new Set<ArrayBufferLike>();
  for await (const piece of source.pieces(7)) {
    buffers.add(piece.buffer);
    read.push(Buffer.from(piece));
  }
  await source.close();
  expect(Buffer.concat(read).equals(content.subarray(7))).toBe(true);
  expect(read.length).toBeGreaterThan(1);
  expect(buffers.size).toBe(1);
});

test('a line that is broken by the end of a piece is whole', async () => {
  const lines = Array.from({ length: 9_000 }, (_, n) =>
    JSON.stringify({ id: `n${n}`, kind: 'note', text: `note ${n} ${'x'.repeat(n % 97)}` }),
  );
  const read = await reading('notes.jsonl', lines.join('\n'));
  expect(read.problems).toEqual([]);
  expect(read.values.map(({ text }) => text)).toEqual(
    lines.map((line) => (JSON.parse(line) as { text: string }).text),
  );
});

test('a window holds what was read and is not let go of, however it moves and grows', () => {
  const window = createWindow();
  const piece = 256 * 1024;
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let begin = 0;
  const stores = new Set<ArrayBufferLike>();
  // Let go of most, of all, of nothing for 8 MB, then of most again.
  for (let step = 0; step < 80; step += 1) {
    held = window.extend(held, pattern(piece, at));
    stores.add(held.buffer);
    at += piece;
    expect(held.equals(pattern(at - begin, begin))).toBe(true);
    const growing = step > 30 && step < 62;
    const kept = growing ? held.length : step % 7 === 0 ? 0 : 11_111;
    begin = at - kept;
    held = held.subarray(held.length - kept);
  }
  expect(held.buffer.byteLength).toBe(1024 * 1024);
  // One to begin with, 2, 4, 8 and 16 MiB, and a small one again.
  expect(stores.size).toBeLessThanOrEqual(6);
});

test('a slab is used again when nobody reads from it, and a large one is not kept', () => {
  const slabs = createSlabs();
  const first = slabs.take(10);
  const placed = put(first, Uint8Array.of(1, 2, 3));
  expect([...placed]).toEqual([1, 2, 3]);
  expect(slabs.take(10).store.buffer).not.toBe(first.store.buffer);
  slabs.giveBack(first);
  expect(slabs.take(10).store.buffer).toBe(placed.buffer);
  const large = slabs.take(5_000_000);
  expect(large.store.length).toBe(5_000_000);
  slabs.giveBack(large);
  expect(slabs.take(5_000_000).store.buffer).not.toBe(large.store.buffer);
});

/** An intake whose memory answers when told to; what was handed to it, as it lay then. */
function intakeOf() {
  const handed: { batch: IngestBatch; answer: () => void; texts: string[] }[] = [];
  const textsOf = (batch: IngestBatch) => batch.records.map(({ raw }) => Buffer.from(raw).toString());
  const memory = {
    ingest: (_org: OrgStore, _source: unknown, batch: IngestBatch) =>
      new Promise((resolve) => {
        const result = { inserted: batch.records.length, updated: 0, unchanged: 0, deleted: 0, rejected: [] };
        handed.push({ batch, answer: () => resolve(result), texts: textsOf(batch) });
      }),
  } as unknown as Memory;
  const counts = { seen: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0 };
  const job: ImportJob = { id: 'j', startedAt: 0, counts, problems: [], resume: undefined, resumed: false };
  const source = { connectionId: 'c', provider: 'files' };
  const intake = createIntake({ org: {} as OrgStore, memory, source, job, stored: async () => undefined });
  return { intake, handed, textsOf, job };
}

const recordOf = (id: string, raw: Uint8Array): SourceRecord => ({
  externalId: id,
  kind: 'note',
  mediaType: 'text/plain',
  raw,
});
const point = { file: 'f', next: 1, size: 1, head: '' };

test('a payload is handed to memory as it was read, though its reader uses the bytes again, until it is stored', async () => {
  const { intake, handed, textsOf } = intakeOf();
  const shared = Buffer.alloc(20);
  const adding = (async () => {
    for (let n = 0; n < 260; n += 1) {
      shared.fill(0).write(`record ${n}`);
      await intake.add(recordOf(`r${n}`, shared), `f: ${n}`, point);
    }
    await intake.drain();
  })();
  const seen: string[] = [];
  while (seen.length < 260) {
    // The intake goes on with what follows as far as it may.
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    const next = handed.shift();
    if (next === undefined) throw new Error('nothing is under way');
    expect(next.batch.records.every(({ raw }) => raw.buffer instanceof SharedArrayBuffer)).toBe(true);
    expect(textsOf(next.batch)).toEqual(next.texts);
    seen.push(...next.texts);
    next.answer();
  }
  await adding;
  expect(seen.map((text) => text.replaceAll('\0', ''))).toEqual(
    Array.from({ length: 260 }, (_, n) => `record ${n}`),
  );
});

test('of large payloads no more than 8 MiB and one are under way at once', async () => {
  const { intake, handed, job } = intakeOf();
  const large = Buffer.alloc(5_000_000);
  const adding = (async () => {
    for (let n = 0; n < 6; n += 1) await intake.add(recordOf(`r${n}`, large), `f: ${n}`, point);
    await intake.drain();
  })();
  let most = 0;
  let answered = 0;
  while (answered < 6) {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    most = Math.max(most, handed.length - answered);
    handed[answered]?.answer();
    answered += 1;
  }
  await adding;
  expect(most).toBe(1);
  expect(job.counts.inserted).toBe(6);
});
