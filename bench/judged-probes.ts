// Probes: a question, the one passage that answers it, and wrong ones. In paraphrase.txt the right passage shares no
// word of substance with its question, nor do the others; in hard.txt each wrong passage shares one to three.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadStaticEn } from '../src/memory/embed/static-en.ts';
import { questionTerms } from '../src/memory/language/question.ts';
import { rank } from '../src/memory/rank/rank.ts';
import type { RankSettings } from '../src/memory/rank/settings.ts';
import { embedWith } from './judged-ranking.ts';
import { chunksOfRecords, createMemoryCollection, type MemoryCollection } from './memory-collection.ts';

export interface Probe {
  question: string;
  right: string;
  wrong: string[];
}

export function readProbes(name: 'paraphrase' | 'hard'): Probe[] {
  const file = join(import.meta.dirname, 'probes', `${name}.txt`);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [question = '', right = '', ...wrong] = line.split('|');
    return { question, right, wrong };
  });
}

/** The share of the probes whose right passage comes first among their own; equal scores share it. */
export interface ProbeQuality {
  /** Paraphrases: the right one among five others drawn by lot, and among all sixty. */
  amongSix: number;
  amongSixty: number;
  /** Hard probes: among its own five wrong ones, alone and within a collection of all of them, and among all 360. */
  hardAlone: number;
  hardScoped: number;
  hardAmongAll: number;
}

async function collectionOf(texts: readonly string[]): Promise<MemoryCollection> {
  const embed = embedWith(await loadStaticEn(), 'best');
  const records = texts.map((text, i) => ({
    externalId: `${i}`,
    kind: 'note' as const,
    mediaType: 'text/plain' as const,
    raw: Buffer.from(text),
  }));
  return createMemoryCollection(await chunksOfRecords(records, embed));
}

/** Always the same lots. */
function lots(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export interface OpenProbes {
  quality(settings: RankSettings): ProbeQuality;
}

const draws = 20;

export async function openProbes(): Promise<OpenProbes> {
  const model = await loadStaticEn();
  const paraphrases = readProbes('paraphrase');
  const hard = readProbes('hard');
  const all = await collectionOf(paraphrases.map(({ right }) => right));
  const together = await collectionOf(hard.flatMap(({ right, wrong }) => [right, ...wrong]));
  const alone = await Promise.all(hard.map(({ right, wrong }) => collectionOf([right, ...wrong])));
  const draw = lots(1);
  const sixes = paraphrases.flatMap((_, own) =>
    Array.from({ length: draws }, () => {
      const six = new Set([own]);
      while (six.size < 6) six.add(draw(paraphrases.length));
      return { own, six: [...six] };
    }),
  );
  const drawn = await Promise.all(
    sixes.map(({ six }) => collectionOf(six.map((i) => paraphrases[i]?.right ?? ''))),
  );

  /** 1 where `right` comes first, a share of it where others are as good, 0 where another is better. */
  const credit = (
    collection: MemoryCollection,
    question: string,
    right: number,
    settings: RankSettings,
    only?: readonly number[],
  ): number => {
    const admitted = new Uint8Array(collection.slots);
    for (const slot of only ?? collection.alive.keys()) admitted[slot] = 1;
    const ranked = rank(
      collection,
      {
        terms: questionTerms(question, ['en']),
        embed: (weightOf) => model.question(question, weightOf),
        contexts: model.contexts,
      },
      { limit: collection.slots, settings, ...(only && { admitted }) },
    );
    const best = ranked[0]?.score ?? 0;
    const first = ranked.filter(({ score }) => best - score < 1e-9);
    return first.some(({ slot }) => slot === right) ? 1 / first.length : 0;
  };
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;

  return {
    quality: (settings) => ({
      amongSix: mean(
        sixes.map(({ own }, i) => credit(drawn[i] ?? all, paraphrases[own]?.question ?? '', 0, settings)),
      ),
      amongSixty: mean(paraphrases.map(({ question }, i) => credit(all, question, i, settings))),
      hardAlone: mean(hard.map(({ question }, i) => credit(alone[i] ?? all, question, 0, settings))),
      hardScoped: mean(
        hard.map(({ question }, i) =>
          credit(
            together,
            question,
            6 * i,
            settings,
            [0, 1, 2, 3, 4, 5].map((j) => 6 * i + j),
          ),
        ),
      ),
      hardAmongAll: mean(hard.map(({ question }, i) => credit(together, question, 6 * i, settings))),
    }),
  };
}
