// Entry of the worker that runs a model from a folder of this machine. It has no way out to the network.
import { createLocalModel, type LocalTask } from './embed/local-model.ts';
import { serveTasks } from './worker-side.ts';

Object.assign(globalThis, {
  fetch: () => Promise.reject(new Error('A local model is asked for nothing from the network.')),
});

const answer = createLocalModel();
serveTasks((task: LocalTask) => answer(task));
