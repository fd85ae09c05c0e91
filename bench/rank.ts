// Retrieval quality of the ranking alone, on collections in memory: what it is tuned with, without the store.
// Usage: npm run bench:rank -- DIR… [--set name=value]… [--vectors best|mean|whole|none]
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { type RankSettings, rankSettings } from '../src/memory/rank/settings.ts';
import { percentile } from './figures.ts';
import { type Embedding, openJudged, qualityOf } from './judged-ranking.ts';

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
  },
});
if (folders.length === 0)
  throw new Error('Say which folders: npm run bench:rank -- DIR… [--set name=value]…');
const settings = settingsOf(values.set);
for (const folder of folders) {
  const judged = await openJudged(folder, values.vectors as Embedding);
  const { ndcg, recall, times, each } = qualityOf(judged, settings);
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
