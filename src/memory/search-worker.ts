// Entry of the search worker: terms and filters in, scored chunk numbers out. It opens databases read-only.

import type { SearchTask } from './index/fts5.sql.ts';
import { createFts5Reader } from './index/fts5-reader.sql.ts';
import { serveTasks } from './worker-side.ts';

const read = createFts5Reader();
serveTasks((task: SearchTask) => read(task));
