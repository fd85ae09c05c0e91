// Entry of the workers that run a model from a folder of this machine. They have no way out to the network.
import { createLocalModel, type LocalTask } from './embed/local-model.ts';
import { createLocalReranker, type ScoreTask } from './rerank/local-reranker.ts';
import { serveTasks } from './worker-side.ts';

Object.assign(globalThis, {
  fetch: () => Promise.reject(new Error('A local model is asked for nothing from the network.')),
});

const embed = createLocalModel();
const score = createLocalReranker();
serveTasks(async (task: LocalTask | ScoreTask) => ('question' in task ? score(task) : embed(task)));
