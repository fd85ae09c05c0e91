// Entry of the parse worker: batches of records in, outcomes out. No database, no network.

import type { SourceRecord } from '../providers/record.ts';
import { loadStaticEn } from './embed/static-en.ts';
import { embedChunks } from './embed-chunks.ts';
import { parseRecords } from './parse.ts';
import { packPayload } from './payload.ts';
import { PlainBlob } from './plain-blob.ts';
import { serveTasks, tellLog } from './worker-side.ts';
import { yieldProcessor } from './yield-processor.ts';

// This thread's own: nobody else makes one here.
Object.assign(globalThis, { Blob: PlainBlob });

// Read before this thread steps back: the threads that read files are shared, and take on its priority.
await loadStaticEn();
// Nobody waits for one mail of an import; those who ask meanwhile do wait.
const kept = yieldProcessor();
if (kept !== undefined) tellLog(kept);

serveTasks(async (records: SourceRecord[]) => {
  const outcomes = await parseRecords(records);
  const read = outcomes.flatMap((outcome) =>
    'parsed' in outcome ? [outcome.parsed, ...(outcome.attached ?? [])] : [],
  );
  await embedChunks(read);
  outcomes.forEach((outcome, i) => {
    const raw = records[i]?.raw;
    if (!('parsed' in outcome) || raw === undefined) return;
    const packed = packPayload(raw, outcome.parsed.text);
    if (packed !== undefined) outcome.parsed.packed = packed;
  });
  return outcomes;
});
