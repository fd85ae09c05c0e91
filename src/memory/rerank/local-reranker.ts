// A cross-encoder from a folder of this machine, run by transformers.js in a thread of its own: it reads question and
// passage as one text, and gives one number.
import { basename, resolve } from 'node:path';
import { faultOf, loadLibrary } from '../embed/local-model.ts';

export interface ScoreTask {
  folder: string;
  /** Folder that is searched for the library first. */
  home: string;
  precision: string;
  question: string;
  passages: readonly string[];
}
/** `fault`: what a person can mend. */
export type ScoreAnswer = { scores: number[] } | { fault: string };

/** Passages of one run of the model: as long as its longest, so few of them. */
const atOnce = 8;

type Score = (question: string, passages: readonly string[]) => Promise<number[]>;

async function load({ folder, home, precision }: ScoreTask): Promise<Score> {
  const path = resolve(folder);
  const { AutoTokenizer, AutoModelForSequenceClassification } = await loadLibrary(home, path);
  const own = { local_files_only: true };
  const tokenize = await AutoTokenizer.from_pretrained(basename(path), own);
  const classify = await AutoModelForSequenceClassification.from_pretrained(basename(path), {
    ...own,
    dtype: precision,
    device: 'cpu',
  });
  return async (question, passages) => {
    const pairs = tokenize(
      passages.map(() => question),
      { text_pair: [...passages], padding: true, truncation: true },
    );
    const { logits } = await classify(pairs);
    const [count = 0, each = 0] = logits.dims;
    if (count !== passages.length || each !== 1)
      throw new Error(
        `it gives ${each} numbers a passage where a reranker (a cross-encoder with one label) gives one`,
      );
    const scores = [...logits.data];
    logits.dispose?.();
    return scores;
  };
}

/** A function that answers tasks; a model is loaded once. */
export function createLocalReranker(): (task: ScoreTask) => Promise<ScoreAnswer> {
  const loaded = new Map<string, Promise<Score>>();
  return async (task) => {
    const key = `${resolve(task.folder)}\n${task.precision}`;
    try {
      const loading = loaded.get(key) ?? load(task);
      loaded.set(key, loading);
      const score = await loading;
      const scores: number[] = [];
      for (let from = 0; from < task.passages.length; from += atOnce)
        scores.push(...(await score(task.question, task.passages.slice(from, from + atOnce))));
      return { scores };
    } catch (thrown) {
      loaded.delete(key);
      return { fault: faultOf(thrown, task.folder) };
    }
  };
}
