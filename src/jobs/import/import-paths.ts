// Files into memory: streaming, resumable, idempotent. A bad record is reported with its place and costs
// no other; whatever the size, what is held is a few batches.
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Connections } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Memory } from '../../memory/memory.ts';
import type { OrgStore } from '../../store/store.ts';
import { type ByteSource, openByteSource } from './byte-source.ts';
import { extensions, readerOf } from './formats.ts';
import { createIntake, type Intake } from './intake.ts';
import { sha256 } from './item.ts';
import { type Counts, type ImportJob, openJob, type Problem, type ResumePoint, saveJob } from './job.ts';
import { type Found, walk } from './walk.ts';

export interface ImportProgress extends Counts {
  bytesDone: number;
  bytesTotal: number;
  file: string;
}

export interface ImportResult {
  /** Records met; with `resumed`, those of the interrupted run included. */
  seen: number;
  inserted: number;
  updated: number;
  unchanged: number;
  /** The first thousand; `rejectedTotal` is their number. */
  rejected: Problem[];
  rejectedTotal: number;
  /** Files that were met and not read: an unknown format, a link that leads outside. The first thousand. */
  skipped: Problem[];
  resumed: boolean;
  /** The signal ended it; the same call goes on from there. */
  stopped: boolean;
}

export interface ImportRequest {
  org: OrgStore;
  paths: readonly string[];
  memory: Memory;
  connections: Connections;
  clock: Clock;
  log: Log;
  onProgress?: (progress: ImportProgress) => void;
  signal?: AbortSignal | undefined;
}

const saveEveryMs = 1000;
// A file below this is read again from its start when an import goes on: cheaper than knowing its head.
const worthResuming = 1024 * 1024;
const headBytes = 64 * 1024;
const mostSkipped = 1000;

type FoundFile = Extract<Found, { file: string }>;

async function headOf(source: ByteSource, until: number): Promise<string> {
  return sha256(await source.read(0, Math.min(headBytes, until)));
}

/** Sizes of all that will be read, and whether the file to go on from is still among it. */
async function survey(paths: readonly string[], resume: ResumePoint | undefined) {
  let bytesTotal = 0;
  let met = false;
  for await (const found of walk(paths)) {
    if (!('file' in found)) continue;
    bytesTotal += found.size;
    met ||= found.file === resume?.file;
  }
  return { bytesTotal, met };
}

/**
 * Imports files and folders into the org's `files` connection.
 * @throws DrawbridgeError `not_found` for a path that is not there; whatever memory throws (disk full, say),
 * after which the same call goes on from the last stored record.
 */
export async function importPaths(request: ImportRequest): Promise<ImportResult> {
  const { org, memory, connections, clock, log, signal } = request;
  await survey(request.paths, undefined);
  const paths = await Promise.all(request.paths.map((path) => realpath(resolve(path))));
  const connection = await connections.own(org, 'files');
  const job = await openJob(org, connection.id, paths, clock);
  const { bytesTotal, met } = await survey(paths, job.resume);
  if (job.resume !== undefined && !met) startOver(job);

  const skipped: Problem[] = [];
  let bytesDone = 0;
  let current = '';
  let savedAt = clock.elapsed();
  const tell = () => request.onProgress?.({ ...job.counts, bytesDone, bytesTotal, file: current });
  const intake = createIntake({
    org,
    memory,
    source: { connectionId: connection.id, provider: connection.provider },
    job,
    stored: async () => {
      tell();
      if (clock.elapsed() - savedAt < saveEveryMs) return;
      await saveJob(org, job, 'running', clock);
      savedAt = clock.elapsed();
    },
  });
  function skip(place: string, reason: string): void {
    if (skipped.length < mostSkipped) skipped.push({ place, reason });
  }

  const isStopped = () => signal?.aborted === true;
  let goingOn = job.resume;
  try {
    for await (const found of walk(paths)) {
      if (isStopped()) break;
      if ('skipped' in found) {
        skip(found.skipped, found.reason);
        continue;
      }
      const before = bytesDone;
      current = found.file;
      if (goingOn === undefined || goingOn.file === found.file || isNewer(found, job)) {
        const from = goingOn?.file === found.file ? goingOn : undefined;
        if (from !== undefined) goingOn = undefined;
        const reason = await importFile(found, from, intake, signal, (next) => {
          bytesDone = before + Math.min(next, found.size);
        });
        if (reason !== undefined) skip(found.file, reason);
      }
      if (!isStopped()) bytesDone = before + found.size;
      tell();
    }
    await intake.drain();
    const stopped = isStopped();
    await saveJob(org, job, stopped ? 'failed' : 'completed', clock);
    tell();
    const { seen, inserted, updated, unchanged, rejected: rejectedTotal } = job.counts;
    const { problems: rejected, resumed } = job;
    return { seen, inserted, updated, unchanged, rejected, rejectedTotal, skipped, resumed, stopped };
  } catch (error) {
    await saveJob(org, job, 'failed', clock).catch((failure: unknown) =>
      log.warn({ err: failure }, 'the import could not record how far it came'),
    );
    throw error;
  }
}

/** The file to go on from is gone: all others are read again, and counted again. */
function startOver(job: ImportJob): void {
  job.resume = undefined;
  job.resumed = false;
  job.problems = [];
  job.counts = { seen: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0 };
}

/** Whether a file was put there or written since the interrupted run began. */
function isNewer(found: FoundFile, job: ImportJob): boolean {
  return Math.max(found.modifiedAt, found.changedAt) >= job.startedAt;
}

/** Reads one file into the intake. Returns why it was skipped, or undefined. */
async function importFile(
  found: FoundFile,
  resume: ResumePoint | undefined,
  intake: Intake,
  signal: AbortSignal | undefined,
  reached: (next: number) => void,
): Promise<string | undefined> {
  const { file, modifiedAt } = found;
  const start = { file, next: 0, size: found.size, head: '' };
  let source: ByteSource;
  try {
    source = await openByteSource(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await intake.reject(file, reason, start);
    return undefined;
  }
  try {
    const reader = await readerOf(file, source);
    if (reader === undefined) return `not a format that is read (${extensions.join(' ')})`;
    const head = source.size >= worthResuming ? await headOf(source, source.size) : '';
    const goesOn =
      resume !== undefined && resume.head !== '' && resume.head === head && source.size >= resume.size;
    const from = goesOn ? resume.next : 0;
    for await (const item of reader({ file, source, from, modifiedAt })) {
      const point = { file, next: item.next, size: source.size, head };
      if ('record' in item) await intake.add(item.record, item.place, point);
      else await intake.reject(item.place, item.reason, point);
      reached(item.next);
      if (signal?.aborted === true) return undefined;
    }
    return undefined;
  } catch (error) {
    // A file that cannot be read to its end is a bad record; a failing memory is not.
    if (error instanceof DrawbridgeError || !isFileFault(error)) throw error;
    await intake.reject(file, error.message, start);
    return undefined;
  } finally {
    await source.close();
  }
}

function isFileFault(error: unknown): error is Error {
  return (
    error instanceof Error && 'syscall' in error && (error.syscall === 'read' || error.syscall === 'open')
  );
}
