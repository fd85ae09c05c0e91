// Retrieval quality of the ranking alone, on collections in memory: what it is tuned with, without the store.
// Usage: npm run bench:rank -- DIR… [--set name=value]… [--vectors best|mean|whole|none] [--every N]; with --table the
// rows of docs/retrieval.md: each part of the ranking left out in turn, and the probes.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { type RankSettings, rankSettings } from '../src/memory/rank/settings.ts';
import { percentile } from './figures.ts';
import { openProbes } from './judged-probes.ts';
import { type Embedding, openJudged, qualityOf } from './judged-ranking.ts';

const trusting = { vectorWeightInDoubt: rankSettings.vectorWeight };
const wordsAlone = {
  vectorWeight: 0,
  vectorWeightInDoubt: 0,
  smoothing: 0,
  expansion: 0,
  proximityWeight: 0,
};
const variants: Readonly<Record<string, Partial<RankSettings>>> = {
  'as shipped': {},
  'words of a chunk alone': { ...wordsAlone, neighbourWeight: 0, neighbourWeightInScope: 0 },
  'words with neighbours': wordsAlone,
  'vectors alone': {
    ...wordsAlone,
    vectorWeight: 1,
    vectorWeightInDoubt: 1,
    contextShare: 0,
  },
  'without vectors': { vectorWeight: 0, vectorWeightInDoubt: 0 },
  'without doubt': trusting,
  'without contexts': { ...trusting, contextShare: 0 },
  'without neighbours’ words': { neighbourWeight: 0, neighbourWeightInScope: 0 },
  'without neighbours’ vectors': { neighbourVector: 0 },
  'without nearness': { proximityWeight: 0 },
  'without expansion': { expansion: 0 },
  'without smoothing': { smoothing: 0 },
};

function settingsOf(given: readonly string[]): RankSettings {
  const settings = { ...rankSettings };
  for (const one of given) {
    const [name = '', value = ''] = one.split('=');
    if (!Object.hasOwn(settings, name)) {
      throw new Error(`There is no setting ${name}; there are ${Object.keys(settings).join(', ')}.`);
    }
    Object.assign(settings, { [name]: Number(value) });
  }
  return settings;
}

const { positionals: folders, values } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', multiple: true, default: [] },
    vectors: { type: 'string', default: 'best' },
    /** Only each Nth query: a crowded machine's patience. */
    every: { type: 'string', default: '1' },
    table: { type: 'boolean', default: false },
  },
});
if (folders.length === 0) {
  throw new Error('Say which folders: npm run bench:rank -- DIR… [--set name=value]… [--table]');
}
const settings = settingsOf(values.set);
const some = (index: number) => index % Number(values.every) === 0;

async function lines(): Promise<void> {
  for (const folder of folders) {
    const judged = await openJudged(folder, values.vectors as Embedding);
    const { ndcg, recall, times, each } = qualityOf(judged, settings, some);
    console.log(
      [
        basename(folder).padEnd(16),
        `nDCG@10 ${ndcg.toFixed(4)}`,
        `recall@10 ${recall.toFixed(4)}`,
        `p50 ${percentile(times, 0.5).toFixed(1)} ms`,
        `p95 ${percentile(times, 0.95).toFixed(1)} ms`,
        `(${each.length} judged queries, ${judged.collection.live} chunks)`,
      ].join('  '),
    );
  }
}

async function table(): Promise<void> {
  const opened = [];
  for (const folder of folders) opened.push(await openJudged(folder, values.vectors as Embedding));
  const probes = await openProbes();
  const heads = [...folders.map((folder) => basename(folder)), 'of six', 'of sixty', 'hard', 'hard of 360'];
  console.log(`| | ${heads.join(' | ')} |\n|${'---|'.repeat(heads.length + 1)}`);
  for (const [name, changes] of Object.entries(variants)) {
    const variant = { ...settings, ...changes };
    const reached = opened.map((judged) => {
      const { ndcg, recall } = qualityOf(judged, variant, some);
      return `${ndcg.toFixed(4)} / ${recall.toFixed(3)}`;
    });
    const { amongSix, amongSixty, hardAlone, hardAmongAll } = probes.quality(variant);
    const share = [amongSix, amongSixty, hardAlone, hardAmongAll].map((one) => `${Math.round(100 * one)} %`);
    console.log(`| ${[name, ...reached, ...share].join(' | ')} |`);
  }
}

await (values.table ? table() : lines());
