// Entry of the parse worker: batches of records in, outcomes out. No database, no network.

import type { SourceRecord } from '../providers/record.ts';
import { parseRecords } from './parse.ts';
import { serveTasks } from './worker-side.ts';

serveTasks(async (records: SourceRecord[]) => parseRecords(records));
