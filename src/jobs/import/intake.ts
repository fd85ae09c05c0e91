// Carries records into memory in bounded batches, a few under way at once, and counts them in their order:
// what the resume point names is stored, and all before it.
import type { IngestResult, Memory, Source } from '../../memory/memory.ts';
import type { SourceRecord } from '../../providers/record.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ImportJob, ResumePoint } from './job.ts';
import { createSlabs, hasRoom, put, type Slab } from './slabs.ts';

// Near the number that memory asks for, so that its commits stay short.
const mostRecords = 50;
// While one batch is stored the next ones are parsed; more would only wait.
const mostUnderWay = 3;
// A large record fills a batch of its own: of those, fewer.
const mostBytesUnderWay = 8 * 1024 * 1024;
const mostProblems = 1000;

interface Batch {
  records: SourceRecord[];
  slab: Slab | undefined;
  places: Map<string, string>;
  problems: { place: string; reason: string }[];
  resume: ResumePoint | undefined;
}

type Settled = { result: IngestResult } | { error: unknown };

function emptyBatch(): Batch {
  return { records: [], slab: undefined, places: new Map(), problems: [], resume: undefined };
}

const nothing: IngestResult = { inserted: 0, updated: 0, unchanged: 0, deleted: 0, rejected: [] };

const sizeOf = ({ slab }: Batch): number => slab?.used ?? 0;

export interface Intake {
  /** `record.raw` is copied before this resolves. */
  add(record: SourceRecord, place: string, resume: ResumePoint): Promise<void>;
  reject(place: string, reason: string, resume: ResumePoint): Promise<void>;
  /** Everything handed over is stored, or the first failure thrown. */
  drain(): Promise<void>;
}

/** @param stored is told after each batch, when `job` has its counts and resume point. */
export function createIntake(given: {
  org: OrgStore;
  memory: Memory;
  source: Source;
  job: ImportJob;
  stored: () => Promise<void>;
}): Intake {
  const { org, memory, source, job } = given;
  const underWay: { batch: Batch; settled: Promise<Settled> }[] = [];
  const slabs = createSlabs();
  let batch = emptyBatch();

  function note(place: string, reason: string): void {
    job.counts.rejected += 1;
    if (job.problems.length < mostProblems) job.problems.push({ place, reason });
  }

  async function settleOldest(): Promise<void> {
    const oldest = underWay.shift();
    if (oldest === undefined) return;
    const settled = await oldest.settled;
    if (oldest.batch.slab !== undefined) slabs.giveBack(oldest.batch.slab);
    if ('error' in settled) throw settled.error;
    const { records, places, problems, resume } = oldest.batch;
    const { inserted, updated, unchanged, rejected } = settled.result;
    job.counts.seen += records.length + problems.length;
    job.counts.inserted += inserted;
    job.counts.updated += updated;
    job.counts.unchanged += unchanged;
    for (const { place, reason } of problems) note(place, reason);
    for (const { externalId, reason } of rejected) note(places.get(externalId) ?? externalId, reason);
    job.resume = resume;
    await given.stored();
  }

  async function submit(): Promise<void> {
    if (batch.resume === undefined) return;
    const full = batch;
    batch = emptyBatch();
    const size = sizeOf(full);
    while (
      underWay.length > 0 &&
      underWay.reduce((sum, one) => sum + sizeOf(one.batch), size) > mostBytesUnderWay
    )
      await settleOldest();
    const stored =
      full.records.length === 0
        ? Promise.resolve(nothing)
        : memory.ingest(org, source, { records: full.records });
    // A failure is kept until its turn, so that batches before it are counted first.
    const settled = stored.then(
      (result): Settled => ({ result }),
      (error: unknown): Settled => ({ error }),
    );
    underWay.push({ batch: full, settled });
    if (underWay.length >= mostUnderWay) await settleOldest();
  }

  return {
    async add(record, place, resume) {
      // The same record twice: the second meets the first one stored, not one in its own batch.
      if (batch.places.has(record.externalId)) {
        await submit();
        while (underWay.length > 0) await settleOldest();
      }
      const size = record.raw.byteLength;
      if (batch.slab !== undefined && !hasRoom(batch.slab, size)) await submit();
      batch.slab ??= slabs.take(size);
      batch.records.push({ ...record, raw: put(batch.slab, record.raw) });
      batch.places.set(record.externalId, place);
      batch.resume = resume;
      if (batch.records.length >= mostRecords) await submit();
    },
    async reject(place, reason, resume) {
      batch.problems.push({ place, reason });
      batch.resume = resume;
      if (batch.problems.length >= mostRecords) await submit();
    },
    async drain() {
      await submit();
      while (underWay.length > 0) await settleOldest();
    },
  };
}
