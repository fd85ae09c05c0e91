// Entry of the parse worker: batches of records in, outcomes out; and folding of the index, which reads the database
// and writes nothing. No network.

import type { SourceRecord } from '../providers/record.ts';
import { toJson } from '../store/codec.ts';
import { packText, packWords } from './documents/packed.ts';
import { packPayload } from './documents/payload.ts';
import { loadStaticEn } from './embed/static-en.ts';
import { embedChunks } from './embed-chunks.ts';
import { createFolder } from './index/fold-work.ts';
import { type ParsedRecord, type ParseOutcome, parseRecords } from './parse.ts';
import { PlainBlob } from './plain-blob.ts';
import type { BackgroundTask } from './reader.ts';
import { serveTasks } from './worker-side.ts';

// This thread's own: nobody else makes one here.
Object.assign(globalThis, { Blob: PlainBlob });

await loadStaticEn();

const fold = createFolder();

const none = new Uint8Array();

/** As it will be stored, while this thread has it at hand. */
function pack(parsed: ParsedRecord, raw: Uint8Array): void {
  const { externalId, title, text } = parsed;
  const people = toJson(parsed.people);
  const beside = { external_id: externalId, title, people, facts: toJson(parsed.facts), text };
  const packed = packPayload(raw, beside);
  if (packed !== undefined) parsed.packed = packed;
  const textPacked = packText(text, (packed?.bytes ?? raw).length);
  if (textPacked !== undefined) parsed.textPacked = textPacked;
  for (const chunk of parsed.chunks) {
    const words = packWords(chunk, text, { people, title, passage: text.slice(chunk.start, chunk.end) });
    if (words !== undefined) Object.assign(chunk, { words, header: '', body: '' });
  }
}

async function read(records: SourceRecord[]): Promise<ParseOutcome[]> {
  const outcomes = await parseRecords(records);
  const documents = outcomes.flatMap((outcome) =>
    'parsed' in outcome ? [outcome.parsed, ...(outcome.attached ?? [])] : [],
  );
  await embedChunks(documents);
  outcomes.forEach((outcome, i) => {
    const raw = records[i]?.raw;
    if (!('parsed' in outcome) || raw === undefined) return;
    pack(outcome.parsed, raw);
    for (const file of outcome.attached ?? []) pack(file, none);
  });
  return outcomes;
}

serveTasks(async (task: BackgroundTask) => ('fold' in task ? fold(task.fold) : read(task.records)));
