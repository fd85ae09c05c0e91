// A judged folder, opened in memory once and asked with any settings.

import { passagesOf } from '../src/memory/embed/passages.ts';
import { loadStaticEn, type StaticModel } from '../src/memory/embed/static-en.ts';
import { questionTerms } from '../src/memory/language/question.ts';
import { rank } from '../src/memory/rank/rank.ts';
import type { RankSettings } from '../src/memory/rank/settings.ts';
import { ndcg, type QueryLine, type Ranking, readJudgedFolder, recall, recordOf } from './judged-folder.ts';
import { chunksOfRecords, createMemoryCollection, type MemoryCollection } from './memory-collection.ts';

/** How a chunk's vector is made: the best of its passages counts, their mean, or one of the chunk as a whole. */
export type Embedding = 'best' | 'mean' | 'whole' | 'none';

export interface JudgedCollection {
  collection: MemoryCollection;
  queries: QueryLine[];
  judgements: Map<string, Map<string, number>>;
  ask(query: QueryLine, settings: RankSettings): Ranking;
}

export interface Quality {
  ndcg: number;
  recall: number;
  /** nDCG@10 by query, for tests of differences. */
  each: number[];
  times: number[];
}

const passagesAsked = 50;
const dimensions = 256;

export function embedWith(model: StaticModel, embedding: Embedding) {
  if (embedding === 'none') return undefined;
  return (title: string, text: string): Float32Array => {
    if (embedding === 'whole') return model.passages([`${title}\n${text}`]);
    const vectors = model.passages(passagesOf(title, text));
    if (embedding === 'best') return vectors;
    const mean = new Float32Array(dimensions);
    vectors.forEach((value, i) => {
      mean[i % dimensions] = (mean[i % dimensions] ?? 0) + value;
    });
    const length = Math.hypot(...mean) || 1;
    return mean.map((value) => value / length);
  };
}

export async function openJudged(folder: string, embedding: Embedding = 'best'): Promise<JudgedCollection> {
  const { corpus, queries, judgements } = await readJudgedFolder(folder);
  const model = await loadStaticEn();
  const chunks = await chunksOfRecords(corpus.map(recordOf), embedWith(model, embedding));
  const collection = createMemoryCollection(chunks);
  const scopes = new Map<string, Uint8Array>();
  chunks.forEach(({ thread }, slot) => {
    if (thread === undefined) return;
    const known = scopes.get(thread) ?? new Uint8Array(chunks.length);
    known[slot] = 1;
    scopes.set(thread, known);
  });
  return {
    collection,
    queries: queries.filter(({ _id }) => judgements.has(_id)),
    judgements,
    ask(query, settings) {
      const admitted = query.scope === undefined ? undefined : scopes.get(query.scope);
      const ranked = rank(
        collection,
        {
          terms: questionTerms(query.text, ['en']),
          embed: (weightOf) => model.question(query.text, weightOf),
          contexts: model.contexts,
        },
        { limit: passagesAsked, settings, ...(admitted && { admitted }) },
      );
      const best = new Map<string, number>();
      for (const { slot, score } of ranked) {
        const id = chunks[slot]?.document ?? '';
        if (!best.has(id)) best.set(id, score);
      }
      return [...best].map(([id, score]) => ({ id, score }));
    },
  };
}

/** Means over the queries with judgements that `among` lets in. */
export function qualityOf(
  judged: JudgedCollection,
  settings: RankSettings,
  among: (index: number) => boolean = () => true,
): Quality {
  const each: number[] = [];
  const times: number[] = [];
  let found = 0;
  judged.queries.forEach((query, i) => {
    const known = judged.judgements.get(query._id);
    if (known === undefined || !among(i)) return;
    const begun = performance.now();
    const ranking = judged.ask(query, settings);
    times.push(performance.now() - begun);
    each.push(ndcg(ranking, known));
    found += recall(ranking, known);
  });
  return {
    ndcg: each.reduce((sum, value) => sum + value, 0) / each.length,
    recall: found / each.length,
    each,
    times,
  };
}
