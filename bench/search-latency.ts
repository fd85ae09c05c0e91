// How long a whole question takes at 10,000 and 100,000 chunks, beside a bare FTS5 query of the same words in
// the same process, and how fast the door lets mail in.
// Usage: node bench/search-latency.ts [--sizes 10000,100000] [--questions 300]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { createLog } from '../src/log.ts';
import { createMemory } from '../src/memory/create.ts';
import type { Memory, Source } from '../src/memory/memory.ts';
import type { SourceRecord } from '../src/providers/record.ts';
import { openStore } from '../src/store/open.ts';
import type { OrgStore } from '../src/store/store.ts';
import { addSource, generateQuestions, generateRecords } from './corpus.ts';
import { percentile } from './figures.ts';

const batchSize = 50;
/** Batches on their way at once: one is read while the one before is stored. */
const inFlight = 2;

function* batches(records: Iterable<SourceRecord>): Generator<SourceRecord[]> {
  let batch: SourceRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function fill(
  memory: Memory,
  org: OrgStore,
  source: Source,
  records: Iterable<SourceRecord>,
): Promise<void> {
  const running: Promise<unknown>[] = [];
  for (const batch of batches(records)) {
    running.push(memory.ingest(org, source, { records: batch }));
    if (running.length >= inFlight) await running.shift();
  }
  await Promise.all(running);
}

/** A bare FTS5 table of the same texts, unstemmed, with its own tokenizer. */
function bareFts5(file: string, records: Iterable<SourceRecord>): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec("create virtual table bare using fts5(body, content = '')");
  const insert = db.prepare('insert into bare (rowid, body) values (?, ?)');
  let row = 0;
  db.exec('begin');
  for (const record of records) {
    row += 1;
    insert.run(row, Buffer.from(record.raw).toString('utf8').split('\r\n\r\n').slice(1).join('\n'));
  }
  db.exec('commit');
  return db;
}

function line(what: string, times: readonly number[]): string {
  const at = (share: number) => `${percentile(times, share).toFixed(1)} ms`;
  return `${what.padEnd(34)} p50 ${at(0.5).padStart(9)}   p95 ${at(0.95).padStart(9)}   p99 ${at(0.99).padStart(9)}`;
}

async function measure(size: number, asked: number): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
  const log = createLog({ level: 'warn' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const memory = createMemory({ clock: systemClock, log });
  try {
    const org = await store.forOrg(await store.createOrg('Bench'));
    const source = await addSource(org);
    const begun = performance.now();
    await fill(memory, org, source, generateRecords(1, size));
    const seconds = (performance.now() - begun) / 1000;
    const { chunks } = await memory.stats(org);
    console.log(`${chunks} chunks, ${(size / seconds).toFixed(0)} messages a second`);

    const bare = bareFts5(join(home, 'bare.db'), generateRecords(1, size));
    const query = bare.prepare(
      'select rowid, bm25(bare) as s from bare where bare match ? order by s limit 10',
    );
    const questions = generateQuestions(1, asked + 20);
    const ours: number[] = [];
    const reference: number[] = [];
    for (const [i, question] of questions.entries()) {
      let start = performance.now();
      await memory.search(org, { question, limit: 10 });
      const took = performance.now() - start;
      start = performance.now();
      query.all((question.match(/\p{L}+/gu) ?? []).map((word) => `"${word}"`).join(' OR '));
      // The first ones warm both up.
      if (i < 20) continue;
      reference.push(performance.now() - start);
      ours.push(took);
    }
    console.log(line(`Memory.search, ${chunks} chunks`, ours));
    console.log(line('bare FTS5, all words', reference));
    bare.close();
  } finally {
    await memory.close();
    await store.close();
    await rm(home, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    questions: { type: 'string', default: '300' },
  },
});
for (const size of values.sizes.split(',')) await measure(Number(size), Number(values.questions));
