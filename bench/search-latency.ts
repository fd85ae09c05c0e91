// How long a whole question takes at 10,000, 100,000 and more chunks, how fast the door lets mail in, how large the
// database is beside what was stored, and how much memory a process takes that only asks.
// Usage: node bench/search-latency.ts [--sizes 10000,100000] [--questions 300] [--home DIR] [--mean-bytes N] [--copies N]
// With --copies each size becomes as many times larger, by copying rows.
// With --home the database of a size is kept there, and used again by the next run.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs, promisify } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { createLog } from '../src/log.ts';
import { createMemory } from '../src/memory/create.ts';
import { loadStaticEn } from '../src/memory/embed/static-en.ts';
import { createPostingsIndex } from '../src/memory/index/postings-index.ts';
import type { Memory, Source } from '../src/memory/memory.ts';
import { createReader } from '../src/memory/reader.ts';
import type { SourceRecord } from '../src/providers/record.ts';
import { openStore } from '../src/store/open.ts';
import type { OrgStore, Store } from '../src/store/store.ts';
import { copyRows } from './copied-rows.ts';
import { addSource, generateQuestions, generateRecords } from './corpus.ts';
import { percentile } from './figures.ts';

const batchSize = 50;
/** Batches on their way at once: one is read while the one before is stored. */
const inFlight = 2;
const warmUp = 20;

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

interface Opened {
  store: Store;
  org: OrgStore;
  memory: Memory;
  /** Folds where `loose` chunks are enough for that. */
  settle(loose: number): void;
  settled(): Promise<void>;
  close(): Promise<void>;
}

async function open(home: string): Promise<Opened> {
  const log = createLog({ level: 'warn' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const known = await store.control.read((db) => db.selectFrom('orgs').select('id').executeTakeFirst());
  const org = await store.forOrg(known?.id ?? (await store.createOrg('Bench')));
  const background = createReader({ clock: systemClock, log });
  const index = createPostingsIndex({ clock: systemClock, log, background });
  const memory = createMemory({ clock: systemClock, log, index });
  return {
    store,
    org,
    memory,
    settle: (loose) => index.settle(org, loose),
    settled: () => index.settled(),
    async close() {
      await memory.close();
      await background.close();
      await store.close();
    },
  };
}

async function ingestAll(
  { memory, org }: Opened,
  source: Source,
  records: Iterable<SourceRecord>,
): Promise<number> {
  const running: Promise<unknown>[] = [];
  let payload = 0;
  for (const batch of batches(records)) {
    for (const record of batch) payload += record.raw.length;
    running.push(memory.ingest(org, source, { records: batch }));
    if (running.length >= inFlight) await running.shift();
  }
  await Promise.all(running);
  return payload;
}

/** Copies the org's rows and folds the copies. @returns how many chunks there are then */
async function multiply(home: string, file: string): Promise<number> {
  copyRows(file, copies);
  const opened = await open(home);
  const { chunks } = await opened.memory.stats(opened.org);
  const begun = performance.now();
  opened.settle(chunks);
  await opened.settled();
  console.log(`copied; folded in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await opened.close();
  return chunks;
}

/** Fills a new database, and waits until the index has settled. */
async function fill(home: string, size: number): Promise<void> {
  const opened = await open(home);
  const source = await addSource(opened.org);
  const begun = performance.now();
  const ingested = await ingestAll(opened, source, generateRecords(1, size, { meanBytes }));
  const seconds = (performance.now() - begun) / 1000;
  await opened.settled();
  const settled = (performance.now() - begun) / 1000 - seconds;
  let { chunks } = await opened.memory.stats(opened.org);
  const { file = '' } = opened.org;
  await opened.close();
  if (copies > 1) chunks = await multiply(home, file);
  const payload = ingested * copies;
  const bytes = (await stat(file)).size;
  const figures = { file, chunks, payload, bytes, perSecond: size / seconds, settled };
  await writeFile(join(home, 'figures.json'), JSON.stringify(figures));
  console.log(
    `${chunks} chunks, ${figures.perSecond.toFixed(0)} messages a second, folded ${settled.toFixed(1)} s later, ` +
      `database ${(bytes / 1e6).toFixed(0)} MB = ${(bytes / payload).toFixed(2)} × the payloads`,
  );
}

function line(what: string, times: readonly number[]): string {
  const at = (share: number) => `${percentile(times, share).toFixed(1)} ms`;
  return `${what.padEnd(34)} p50 ${at(0.5).padStart(9)}   p95 ${at(0.95).padStart(9)}   p99 ${at(0.99).padStart(9)}`;
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

async function ask(home: string, asked: number): Promise<void> {
  const before = process.memoryUsage.rss();
  const opened = await open(home);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const timed = async (question: string) => {
    const start = performance.now();
    await opened.memory.search(opened.org, { question, limit: 10 });
    return performance.now() - start;
  };
  const questions = generateQuestions(1, asked + warmUp);
  const model = await loadStaticEn();
  console.log(`the first question                   ${(await timed(questions[0] ?? '')).toFixed(0)} ms`);
  const whole: number[] = [];
  const words: number[] = [];
  for (const [i, question] of questions.entries()) {
    const both = await timed(question);
    // Without the words that the embedder knows only words are left to find by.
    const unknown = question.split(/\s+/u).filter((word) => model.question(word) === undefined);
    const single = await timed(unknown.join(' '));
    if (i < warmUp) continue;
    whole.push(both);
    words.push(single);
  }
  clearInterval(watch);
  console.log(line('words and vectors', whole));
  console.log(line('words', words));
  console.log(
    `memory: ${megabytes(before)} before, ${megabytes(process.memoryUsage.rss())} after, ${megabytes(peak)} at most`,
  );
  await opened.close();
}

/** A bare FTS5 table of the same texts, unstemmed, with its own tokenizer. */
async function bareFts5(home: string, size: number, asked: number): Promise<void> {
  const file = join(home, 'bare.db');
  const fresh = !existsSync(file);
  const db = new DatabaseSync(file);
  if (fresh) {
    db.exec("create virtual table bare using fts5(body, content = '')");
    const insert = db.prepare('insert into bare (rowid, body) values (?, ?)');
    let row = 0;
    db.exec('begin');
    for (const record of generateRecords(1, size)) {
      row += 1;
      insert.run(row, Buffer.from(record.raw).toString('utf8').split('\r\n\r\n').slice(1).join('\n'));
    }
    db.exec('commit');
  }
  const query = db.prepare('select rowid, bm25(bare) as s from bare where bare match ? order by s limit 10');
  const times = generateQuestions(1, asked + warmUp).map((question) => {
    const start = performance.now();
    query.all((question.match(/\p{L}+/gu) ?? []).map((word) => `"${word}"`).join(' OR '));
    return performance.now() - start;
  });
  console.log(line('bare FTS5, all words', times.slice(warmUp)));
  db.close();
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    questions: { type: 'string', default: '300' },
    home: { type: 'string' },
    /** Mean size of a message, attachments included; 0: text alone, about 1,100. */
    'mean-bytes': { type: 'string', default: '0' },
    copies: { type: 'string', default: '1' },
    /** One step, in a process of its own. */
    step: { type: 'string' },
  },
});
const asked = Number(values.questions);
const meanBytes = Number(values['mean-bytes']);
const copies = Number(values.copies);

/** A step in a process of its own, so that each is measured alone. */
async function apart(step: string, home: string, size: number): Promise<void> {
  const args = [import.meta.filename, '--step', step, '--home', home, '--sizes', String(size)];
  const more = ['--questions', String(asked), '--mean-bytes', String(meanBytes), '--copies', String(copies)];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, ...more]);
  process.stdout.write(stdout);
}

if (values.step !== undefined) {
  const home = values.home ?? '';
  const size = Number(values.sizes);
  if (values.step === 'fill') await fill(home, size);
  else if (values.step === 'ask') await ask(home, asked);
  else await bareFts5(home, size, Math.min(asked, 100));
} else {
  for (const size of values.sizes.split(',').map(Number)) {
    const home =
      values.home === undefined
        ? await mkdtemp(join(tmpdir(), 'drawbridge-bench-'))
        : join(values.home, String(size));
    if (!existsSync(join(home, 'figures.json'))) await apart('fill', home, size);
    await apart('ask', home, size);
    if (size <= 200_000) await apart('bare', home, size);
    if (values.home === undefined) await rm(home, { recursive: true, force: true });
  }
}
