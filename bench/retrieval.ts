// Retrieval quality: a judged collection goes in through the ordinary door, every query is asked through the
// code behind ime-search, and plain BM25 stands beside it in the same run.
// Usage: npm run bench:retrieval -- DIR [--run FILE] [--floor NDCG]; below the floor it exits 1. DIR holds corpus.jsonl, queries.jsonl, qrels.jsonl.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { createLog } from '../src/log.ts';
import { createMemory } from '../src/memory/create.ts';
import type { Memory, Source } from '../src/memory/memory.ts';
import { openStore } from '../src/store/open.ts';
import type { OrgStore } from '../src/store/store.ts';
import { addSource } from './corpus.ts';
import { percentile } from './figures.ts';
import {
  type CorpusLine,
  ndcg,
  type QueryLine,
  type Ranking,
  readJudgedFolder,
  recall,
  recordOf,
} from './judged-folder.ts';
import { createPlainBm25 } from './plain-bm25.ts';

const batchSize = 50;
const passagesAsked = 50;

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
  const { corpus, queries: all, judgements } = await readJudgedFolder(folder);
  const queries = values.limit === undefined ? all : all.slice(0, Number(values.limit));

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
