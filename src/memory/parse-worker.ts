// Entry of the parse worker: batches of records in, outcomes out. No database, no network.

import type { SourceRecord } from '../providers/record.ts';
import { parseRecords } from './parse.ts';
import { serveTasks, tellLog } from './worker-side.ts';
import { yieldProcessor } from './yield-processor.ts';

// Nobody waits for one mail of an import; those who ask meanwhile do wait.
const kept = yieldProcessor();
if (kept !== undefined) tellLog(kept);

serveTasks(async (records: SourceRecord[]) => parseRecords(records));
