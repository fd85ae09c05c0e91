// Entry of the parse worker: batches of records in, outcomes out. No database, no network.
import { serveTasks } from './worker-side.ts';
import { parseRecords } from './parse.ts';
import type { SourceRecord } from '../providers/record.ts';

serveTasks(async (records: SourceRecord[]) => parseRecords(records));
