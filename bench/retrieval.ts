// Retrieval quality: a judged collection goes in through the ordinary door, every query is asked through the
// code behind ime-search, and plain BM25 stands beside it in the same run.
// Usage: npm run bench:retrieval -- DIR [--run FILE] [--floor NDCG]; below the floor it exits 1. DIR holds corpus.jsonl, queries.jsonl, qrels.jsonl.
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { createLog } from '../src/log.ts';
import { createMemory } from '../src/memory/create.ts';
import type { Memory, Source } from '../src/memory/memory.ts';
import type { DocumentKind, Person, SourceRecord, Structured } from '../src/providers/record.ts';
import { openStore } from '../src/store/open.ts';
import type { OrgStore } from '../src/store/store.ts';
import { addSource } from './corpus.ts';
import { percentile } from './figures.ts';
import { createPlainBm25 } from './plain-bm25.ts';

interface CorpusLine {
  _id: string;
  text: string;
  title?: string;
  scope?: string;
  date?: string | number;
  speaker?: string;
  from?: string;
  to?: string | string[];
  turns?: unknown[];
}
interface QueryLine {
  _id: string;
  text: string;
  scope?: string;
}
interface Judgement {
  query: string;
  doc: string;
  rel: number;
}
/** Documents best first. */
type Ranking = { id: string; score: number }[];

const batchSize = 50;
const passagesAsked = 50;
const depth = 10;

async function readLines<Line>(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') lines.push(JSON.parse(line) as Line);
  }
  return lines;
}

function person(written: string, role: Person['role']): Person {
  const address = /<([^<>\s]+@[^<>\s]+)>|^\s*([^<>\s]+@[^<>\s]+)\s*$/u.exec(written);
  const name = written.replace(/<[^<>]*>/gu, '').trim();
  const found = address?.[1] ?? address?.[2];
  return {
    ...(found === undefined ? {} : { address: found.toLowerCase() }),
    ...(name === '' || name === found ? {} : { name }),
    role,
  };
}

/** "Speaker: words" a line; a line without a speaker goes on with the turn before. */
function turnsOf(text: string): { speaker?: string; text: string }[] {
  const turns: { speaker?: string; text: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:\n]{1,60}):\s+(.*)$/u.exec(line);
    const last = turns.at(-1);
    if (match !== null) turns.push({ speaker: match[1] ?? '', text: match[2] ?? '' });
    else if (last === undefined) turns.push({ text: line });
    else last.text += `\n${line}`;
  }
  return turns;
}

function recordOf(line: CorpusLine): SourceRecord {
  const to = line.to === undefined ? [] : [line.to].flat();
  const people = [
    ...(line.from === undefined ? [] : [person(line.from, 'from')]),
    ...to.map((one) => person(one, 'to')),
  ];
  let kind: DocumentKind = 'page';
  const structured: Structured = {
    ...(line.title === undefined ? {} : { title: line.title }),
    ...(line.scope === undefined ? {} : { thread: line.scope }),
    ...(line.date === undefined ? {} : { at: line.date }),
    ...(people.length === 0 ? {} : { people }),
  };
  if (line.from !== undefined) kind = 'mail';
  else if (line.turns !== undefined) kind = 'transcript';
  else if (line.speaker !== undefined) kind = 'chat';
  if (line.speaker !== undefined) structured.turns = [{ speaker: line.speaker, text: line.text }];
  else if (line.turns !== undefined) structured.turns = turnsOf(line.text);
  else structured.text = line.text;
  return {
    externalId: line._id,
    kind,
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(structured)),
  };
}

interface Filled {
  org: OrgStore;
  memory: Memory;
  source: Source;
  /** Document id to the collection's own. */
  names: Map<string, string>;
}

async function fill({ org, memory, source, names }: Filled, corpus: readonly CorpusLine[]): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < corpus.length; i += batchSize) {
    const records = corpus.slice(i, i + batchSize).map(recordOf);
    const { rejected } = await memory.ingest(org, source, { records });
    if (rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(rejected[0])}`);
  }
  const rows = await org.read((db) =>
    db.selectFrom('source_documents').select(['id', 'external_id']).where('org_id', '=', org.orgId).execute(),
  );
  for (const row of rows) names.set(row.id, row.external_id);
  return (performance.now() - begun) / 1000;
}

/** A document counts by its best passage. */
async function ask({ org, memory, names }: Filled, query: QueryLine): Promise<Ranking> {
  const { passages } = await memory.search(org, {
    question: query.text,
    limit: passagesAsked,
    ...(query.scope === undefined ? {} : { threadId: query.scope }),
  });
  const best = new Map<string, number>();
  for (const { documentId, score } of passages) {
    const name = names.get(documentId) ?? documentId;
    if (!best.has(name)) best.set(name, score);
  }
  return [...best].map(([id, score]) => ({ id, score }));
}

/** nDCG@10 with linear gain, as trec_eval computes it. */
function ndcg(ranking: Ranking, judged: Map<string, number>): number {
  const dcg = (gains: number[]) => gains.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
  const ideal = dcg([...judged.values()].sort((a, b) => b - a).slice(0, depth));
  return ideal === 0 ? 0 : dcg(ranking.slice(0, depth).map(({ id }) => judged.get(id) ?? 0)) / ideal;
}

function recall(ranking: Ranking, judged: Map<string, number>): number {
  const relevant = [...judged].filter(([, rel]) => rel > 0);
  const found = new Set(ranking.slice(0, depth).map(({ id }) => id));
  return relevant.filter(([id]) => found.has(id)).length / relevant.length;
}

interface Measured {
  name: string;
  rankings: Map<string, Ranking>;
  times: number[];
}

/** Means over the queries that have judgements. */
function score(measured: Measured, judgements: Map<string, Map<string, number>>) {
  const judged = [...measured.rankings].flatMap(([query, ranking]) => {
    const known = judgements.get(query);
    return known === undefined ? [] : [{ ndcg: ndcg(ranking, known), recall: recall(ranking, known) }];
  });
  const mean = (value: (one: { ndcg: number; recall: number }) => number) =>
    judged.reduce((sum, one) => sum + value(one), 0) / judged.length;
  return { ndcg: mean((one) => one.ndcg), recall: mean((one) => one.recall), judged: judged.length };
}

function report(measured: Measured, judgements: Map<string, Map<string, number>>): string {
  const { ndcg: quality, recall: found, judged } = score(measured, judgements);
  const { times } = measured;
  return [
    measured.name.padEnd(24),
    `nDCG@10 ${quality.toFixed(4)}`,
    `recall@10 ${found.toFixed(4)}`,
    `p50 ${percentile(times, 0.5).toFixed(1)} ms`,
    `p95 ${percentile(times, 0.95).toFixed(1)} ms`,
    `(${judged} judged queries)`,
  ].join('  ');
}

async function measure(
  name: string,
  queries: readonly QueryLine[],
  answer: (query: QueryLine) => Promise<Ranking> | Ranking,
): Promise<Measured> {
  const measured: Measured = { name, rankings: new Map(), times: [] };
  for (const query of queries) {
    const begun = performance.now();
    const ranking = await answer(query);
    measured.times.push(performance.now() - begun);
    measured.rankings.set(query._id, ranking);
  }
  return measured;
}

function trecRun({ rankings }: Measured): string {
  const lines: string[] = [];
  for (const [query, ranking] of rankings) {
    ranking.forEach(({ id, score }, i) => {
      lines.push(`${query} Q0 ${id} ${i + 1} ${score.toFixed(6)} drawbridge`);
    });
  }
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { run: { type: 'string' }, limit: { type: 'string' }, floor: { type: 'string' } },
  });
  const folder = positionals[0];
  if (folder === undefined) throw new Error('Say which folder: npm run bench:retrieval -- DIR [--run FILE]');
  const corpus = await readLines<CorpusLine>(join(folder, 'corpus.jsonl'));
  const all = await readLines<QueryLine>(join(folder, 'queries.jsonl'));
  const queries = values.limit === undefined ? all : all.slice(0, Number(values.limit));
  const judgements = new Map<string, Map<string, number>>();
  for (const { query, doc, rel } of await readLines<Judgement>(join(folder, 'qrels.jsonl'))) {
    const known = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, known.set(doc, rel));
  }

  const home = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
  const log = createLog({ level: 'warn' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const memory = createMemory({ clock: systemClock, log });
  try {
    const org = await store.forOrg(await store.createOrg('Bench'));
    const filled: Filled = { org, memory, source: await addSource(org), names: new Map() };
    const seconds = await fill(filled, corpus);
    const { chunks } = await memory.stats(org);
    console.log(`${corpus.length} documents, ${chunks} chunks, ingested in ${seconds.toFixed(1)} s`);
    const plain = createPlainBm25(corpus);
    const reference = await measure('plain BM25', queries, (query) => plain(query.text, query.scope));
    const ours = await measure('drawbridge', queries, (query) => ask(filled, query));
    console.log(report(reference, judgements));
    console.log(report(ours, judgements));
    const floor = Number(values.floor ?? 0);
    const reached = score(ours, judgements).ndcg;
    if (reached < floor) {
      console.error(`nDCG@10 ${reached.toFixed(4)} is below the floor of ${floor}`);
      process.exitCode = 1;
    }
    if (values.run !== undefined) await writeFile(values.run, trecRun(ours));
  } finally {
    await memory.close();
    await store.close();
    await rm(home, { recursive: true, force: true });
  }
}

await main();
