// Entry of the search worker: questions in, scored chunk numbers out. It writes nothing.

import { createSearcher, type SearchTask } from './index/searcher.ts';
import { serveTasks } from './worker-side.ts';

const answer = createSearcher();
serveTasks((task: SearchTask) => answer(task));
