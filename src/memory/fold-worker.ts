// Entry of the folding worker: what is loose in an index becomes blocks and runs. It writes nothing itself.

import { createFolder, type FoldTask } from './index/fold-work.ts';
import { serveTasks, tellLog } from './worker-side.ts';
import { yieldProcessor } from './yield-processor.ts';

// Nobody waits for it; those who ask meanwhile do wait.
const kept = yieldProcessor();
if (kept !== undefined) tellLog(kept);

const work = createFolder();
serveTasks((task: FoldTask) => work(task));
